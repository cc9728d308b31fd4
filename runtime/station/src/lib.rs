//! What a station does, without I/O.
