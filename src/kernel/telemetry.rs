//! Logs (text or JSON, request id on every line) and metrics.
