//! The one integration binary: the rules of the house, then the features on the real app.

mod guards;
mod house;
mod living;
mod search;
