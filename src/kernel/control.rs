//! The control socket `run/PID.sock`: the same API for the command line on this machine, as the local operator.
