"""XPath 2.0 translated to Python: the part of it that Schematron rules use, evaluated on a tree of our own."""
