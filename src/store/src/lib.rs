//! Storage for Köprü on SQLite and PostgreSQL: one SQL text for both
