"""How fast the product is, against the script people write today and against the floor. Not part of the tests."""
