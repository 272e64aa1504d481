"""Small worlds that come with the product: for a first look, for practice, and for the tests."""
