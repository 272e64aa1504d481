"""The record of what happened to what.

Start with ``capture`` (documents in), then ``recording`` (each fact once), ``projection`` (names, state, writing),
``custody`` (what each type of event does), ``movement`` (where it takes things), ``book`` (what happens to one thing)
and ``balance`` (the counts). ``event`` rows are the truth; all else can be written anew from them (``replay``).
"""
