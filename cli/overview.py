"""The commands and a line about each: what `tracemark --help` shows without loading any of them."""

from __future__ import annotations

from typing import Final, NamedTuple


class Command(NamedTuple):
    """A command: the file of cli/ that holds it, and the first sentence of its help."""

    held_by: str
    about: str


# In the order of the help. A command loads its own file only: `serve portal` is a public process, and no sign-in code
# shall be in it.
COMMANDS: Final = {
    "demo": Command(
        "demo", "Print, scan, recall, scan again: the little dairy and a real food chain, then the faces over HTTP."
    ),
    "serve": Command("serve", "Serve the portal, the console and the API until stopped; `all` does the jobs, too."),
    "worker": Command("worker", "Do the jobs that were asked for: rendering, deliveries, reminders."),
    "migrate": Command("database", "Bring the database schema up to date."),
    "settings": Command("database", "All settings with their values; secrets are not shown."),
    "doctor": Command(
        "database", "Look at this installation: libraries, fonts, database, and whether the ledger's books balance."
    ),
    "backup": Command("database", "Save the database and the keys."),
    "restore": Command("database", "Load a backup into an empty database."),
    "verify-backup": Command("database", "Restore a backup into a scratch database and compare it with its manifest."),
    "import": Command(
        "files",
        "Take parties, places, products, lots, inspections, suppliers or shipments from a file, whole or not at all.",
    ),
    "capture": Command("files", "Record events."),
    "trace": Command("trace", "Where a thing came from and where it went; with --at, who had it then."),
    "check": Command("check", "Say of each code in a list whether it is recalled."),
    "benchmark": Command(
        "benchmark", "Measure on this machine, with a throw-away database, beside a reference in the same rounds."
    ),
    "capture-point": Command("capture_points", "Capture points: where goods are read, and what is asked for there."),
    "labels": Command("labels", "Codes and labels."),
    "recall": Command("cases", "Cases: from one bad item to the last unit accounted for."),
    "links": Command("shoppers", "Links that the resolver gives out."),
    "unusual": Command("shoppers", "Codes that may have been copied."),
    "claims": Command("claims", "Remedies that shoppers asked for because of a recall."),
    "account": Command("accounts", "People who may sign in to the console."),
    "key": Command("accounts", "Keys for machines."),
}
