"""The grammar of GS1 identifiers: pure, standard library only, no input or output.

Start with `identifier` (the value), then read `digital_link`, `element_string`, `epc` and `scan_data`: the ways in
which it is written.
"""
