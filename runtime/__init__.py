"""Ground floor: settings, database, clock, notifications, refusals. Knows nothing of codes, lots or recalls."""
