"""The command line: what an operator types. It turns words into verbs and answers into text; it holds no rule."""
