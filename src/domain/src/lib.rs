//! The rules and types of consent: no I/O
