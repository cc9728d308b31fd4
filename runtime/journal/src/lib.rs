//! The record of a station.
