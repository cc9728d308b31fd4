//! What a station shows.
