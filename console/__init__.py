"""The face for brand staff: sign in, see products, label jobs and cases, and take a case through its steps."""
