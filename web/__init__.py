"""What the HTTP faces share: problems, guards, templates, negotiation, probes. Knows no rule of the trade."""
