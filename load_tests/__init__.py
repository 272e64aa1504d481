"""Many people at once on a running portal, by locust: what they do, and what they may expect."""
