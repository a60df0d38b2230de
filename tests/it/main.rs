//! Journeys over the running program.
