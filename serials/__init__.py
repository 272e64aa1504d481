"""Serials: unguessable texts for running numbers, and back again, without a row per code.

A serial is the FF1 permutation (NIST SP 800-38G) of a number, under a key of the epoch and the product, written in
twelve characters of Crockford's base 32. Twelve characters are 60 bits: with 10**9 serials issued, a guess hits one
with probability below 1e-9. This room is pure: it knows no database, no clock and no settings.
"""
