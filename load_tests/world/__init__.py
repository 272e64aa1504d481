"""Worlds with an answer key: goods are moved as they really are, and only then it is told what is recorded of that.

``cohorts`` moves the goods, ``recording`` tells what people write down, ``noise`` spoils that, ``telling`` gives it to
the ledger, ``answer_key`` knows the truth from the goods alone and marks the ledger's answer, ``scenarios`` names the
worlds, ``blocks`` repeats them, ``checking`` marks every answer, ``curve`` measures
noise. See docs/explanation/worlds.md.
"""
