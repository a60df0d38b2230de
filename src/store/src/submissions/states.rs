//! Groups of states, as conditions: those of the partial indexes word for word, or SQLite does not see that an index fits.
//!
//! They are written out as comparisons, because SQLite makes a small tree of an `IN` with more than two words, anew for each row
//! that is written and each index that it may belong to: that cost more than the rows.

/// Not ended: what the key and the deadline still wait for. The column may be qualified: `open!("s.")`.
macro_rules! open {
    ($of:literal) => {
        concat!(
            "(",
            $of,
            "state = 'queued' OR ",
            $of,
            "state = 'in_flight' OR ",
            $of,
            "state = 'batched' OR ",
            $of,
            "state = 'unresolved' OR ",
            $of,
            "state = 'held')"
        )
    };
}

/// In somebody's hands, or in the registry's.
macro_rules! taken {
    ($of:literal) => {
        concat!(
            "(",
            $of,
            "state = 'in_flight' OR ",
            $of,
            "state = 'batched' OR ",
            $of,
            "state = 'unresolved')"
        )
    };
}

/// Ended without the registry's record.
macro_rules! ended {
    ($of:literal) => {
        concat!(
            "(",
            $of,
            "state = 'refused' OR ",
            $of,
            "state = 'expired' OR ",
            $of,
            "state = 'not_needed' OR ",
            $of,
            "state = 'superseded')"
        )
    };
}
