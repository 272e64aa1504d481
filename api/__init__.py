"""The face for machines: EPCIS 2.0 under /epcis/v2, Tracemark's own under /v1, and their description."""
