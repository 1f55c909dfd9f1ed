//! The one integration binary: the rules of the house, then the features on the real app.

mod exchange;
mod guards;
mod house;
mod living;
mod records;
mod search;
