//! The simulator and the registry's client face to face: what one says, the other understands.

mod codes;
mod drive;
mod examples;
mod listing;
mod operations;
mod relay;
