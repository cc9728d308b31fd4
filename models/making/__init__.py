"""Rooms of the model maker, in the order in which data flows through them.

source -> pictures -> forward -> calibrate -> rounding -> quantise -> graph -> check -> manifest.
Nothing here runs on a station: this code is used only to make the model file.
"""
