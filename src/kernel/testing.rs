//! What tests stand on: throw-away databases, the real app on port 0, users with one method per action.
