"""The public portal: what a shopper, a partner or a machine is told about a code. It reads published views only."""
