"""The command line: the front door for people and scripts. Thin: it parses, calls one floor below, prints."""
