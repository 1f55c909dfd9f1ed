//! The house as a whole: the program as people run it, and the app as clients meet it.

mod program;
mod serving;
