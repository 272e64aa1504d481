"""EPCIS 2.0 as documents speak it: read, checked, and turned into what the ledger understands."""
