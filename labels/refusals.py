"""The ways to say no while labels are drawn."""

from __future__ import annotations

from runtime.refusals import Conflict, Invalid, NotFound, TooMany


class LabelTextNotUsable(Invalid):
    """The {where} cannot stand on a label: {what}."""


class LinkNotUsable(Invalid):
    """No code can be formed: {what}."""


class LinkTooLong(Invalid):
    """The link {link} has {characters} characters and needs a symbol larger than version {version_max}; use a shorter host, or leave the lot out of the link."""  # noqa: E501


class TemplateUnknown(NotFound):
    """There is no label template {name}; there are {known}."""


class TemplateBroken(Invalid):
    """The label template {name} cannot be used: {what}."""


class StartCellNotOnSheet(Invalid):
    """The sheet {template} has cells 1 to {cells}; it cannot start at cell {start_cell}."""


class SymbolDoesNotFit(Invalid):
    """The symbol needs {needed_mm} mm with its quiet zone at the smallest module that can be read; the template {template} leaves {box_mm} mm. Use a shorter link or a larger label."""  # noqa: E501


class LabelTextDoesNotFit(Invalid):
    """The text does not fit on the label {template} even at the smallest size: {what}. Shorten it or use a larger label."""  # noqa: E501


class CharacterHasNoGlyph(Invalid):
    """No installed font can draw {character} (U+{codepoint}) of the {where}; install a font that has it, or write it otherwise."""  # noqa: E501


class SerialFontMissing(Conflict):
    """No installed font of equal widths has all characters of a serial; install DejaVu Sans Mono or Noto Sans Mono."""


class NothingToPrint(Invalid):
    """The order has no labels to draw."""


class TooManyLabelsForOneFile(TooMany):
    """One {format} file takes at most {labels_max} labels; divide the job into parts."""


class ResolutionNotUsable(Invalid):
    """{dpi} dots per inch is not a printer's resolution; give a number from {dpi_min} to {dpi_max}."""


class SymbolReadsWrong(Conflict):
    """Label {label_number} was read back as {read} instead of {expected}; the file was not released."""


class PasswordTooShort(Invalid):
    """The password of the pack is shorter than {least} characters. Choose a longer one, and send it by another way."""


class SheetOnLabelPrinter(Invalid):
    """The template {template} is a sheet of {cells} labels; a label printer takes one at a time. Choose a roll."""


class JobNotFound(NotFound):
    """There is no label job {job_id}."""


class CountNotUsable(Invalid):
    """{count} labels cannot be ordered; a job has 1 to {labels_max}."""


class TooManyLabels(TooMany):
    """{count} labels are more than one job takes; order {labels_max} at most (TRACEMARK_LABELS_MAX), in several jobs."""  # noqa: E501


class ProductUnknown(NotFound):
    """No product has the GTIN {gtin}. Add it with: tracemark import products FILE"""


class ProductNotOurs(Conflict):
    """The product {gtin} ({name}) is known, but not as one that we print codes for. Import it with ours = yes: tracemark import products FILE"""  # noqa: E501


class LotUnknown(NotFound):
    """The product {gtin} has no lot {lot}. Add it with: tracemark import lots FILE"""


class LotNotPrintable(Conflict):
    """The lot {lot} of {gtin} {reason}; it gets no labels."""


class KeyForAnotherOrder(Conflict):
    """The idempotency key {key} was used for label job {job_id}, which ordered something else. Use a new key for a new order."""  # noqa: E501


class KeyNotUsable(Invalid):
    """An idempotency key has 1 to {characters_max} characters."""


class TooManySerials(TooMany):
    """Job {job_id} has {count} labels; at most {serials_max} serials are listed at once. Render it as a code pack."""


class OutputExists(Conflict):
    """{path} exists already and is not an earlier rendering of job {job_id}. Choose another name, or move it away."""


class FormatUnknown(Invalid):
    """There is no label format {format}; there are {known}."""


class NothingLeftToRender(Conflict):
    """All labels of job {job_id} are void; there is nothing to render."""


class VoidedMeanwhile(Conflict):
    """Labels of job {job_id} were voided while it was rendered; the file was not released. Render it again."""


class JobNotReleased(Conflict):
    """No rendering of job {job_id} was released yet, so its labels cannot be on anything. First: tracemark labels render {job_id}"""  # noqa: E501


class LabelsNotInJob(Invalid):
    """Job {job_id} has the labels 1 to {count}, not {first} to {last}."""


class LabelsCommissioned(Conflict):
    """Of the labels {first} to {last} of job {job_id}, {overlap} are commissioned already; nothing was changed. Give the rest."""  # noqa: E501


class LabelsVoid(Conflict):
    """Of the labels {first} to {last} of job {job_id}, {overlap} are void; nothing was changed. Leave them out."""


class AppliedLater(Invalid):
    """The labels cannot have been applied at {at}: that is in the future."""


class ReasonMissing(Invalid):
    """Say why, in 1 to {characters_max} characters; it is kept with the labels."""


class TooManyToVoid(TooMany):
    """{count} commissioned labels at once; at most {labels_max} are taken out of service in one go. Void them in parts."""  # noqa: E501


class SerialNotInJob(NotFound):
    """No label of job {job_id} has the serial {serial}."""


class ItemGone(Conflict):
    """The item of {serial} is {disposition}; its label is not replaced any more."""


class TooManyParts(TooMany):
    """The rendering would have {parts} parts; at most {parts_max} are made at once. Void or divide the job."""


class RenderBusy(Conflict):
    """Rendering {render_id} of job {job_id} is being made at this moment, by another process. Watch it: tracemark labels job {job_id} --watch"""  # noqa: E501


class RenderNotFound(NotFound):
    """Job {job_id} has no rendering {render_id}."""


class RenderEnded(Conflict):
    """Rendering {render_id} of job {job_id} is {state}; there is nothing left to cancel."""


class RenderCancelled(Conflict):
    """Rendering {render_id} of job {job_id} was cancelled; no file was released."""


class LabelsGivenOut(Conflict):
    """Labels {first} to {last} of job {job_id} were handed to {to} (rendering {render_id}, part {part}: {state}). Made again, the same codes could stand on two items. If none of them was printed, a person says so: tracemark labels resolve {render_id} --part {part} --as not-printed --reason TEXT"""  # noqa: E501


class PartNotGivenOut(Conflict):
    """Part {part} of rendering {render_id} is {state}; only what was handed over, or may have been, needs a person's word."""  # noqa: E501


class PartNotFound(NotFound):
    """Rendering {render_id} has no part {part}."""


class LabelFileNotFound(NotFound):
    """Job {job_id} has no released file {name} here."""


class CodeNotOfJob(Invalid):
    """The code {code} is of no label of job {job_id} ({why}); scan a label of this job."""


class AppliedNotTaken(Invalid):
    """{name} was not taken: {count} of its rows cannot be commissioned; the first is {line}: {what} Nothing was changed."""  # noqa: E501


class ColumnMissing(Invalid):
    """{name} has no column {wanted}; its first row names {found}. Name the column so, and give the file again."""


class SerialsNotTaken(Invalid):
    """{name} was not taken: {count} of its rows cannot be a serial; the first is {line}: {what} Nothing was changed."""


class SerialsTooDense(Conflict):
    """These serials can be guessed: {issued} of {possible} possible ones would be issued ({how}), which is more than 1 in {odds}. Medicines need random serials from a larger space."""  # noqa: E501


class ExpiryMissing(Conflict):
    """The lot {lot} of {gtin} has no date; a medicine's symbol holds one. Give --best-before, or import the lot with it."""  # noqa: E501


class BracketInElements(Invalid):
    """{value} has a bracket. The DataMatrix of a medicine is made of bracketed elements; lots and serials have none."""


class FormatNotForJob(Invalid):
    """Job {job_id} has serials that the customer brought; it is rendered as {known}, not as {format}."""


class FeedNotForFormat(Invalid):
    """A file of the format {format} has no sheets: only a PDF can begin at another cell or be moved by an offset."""


class TooManySingleLabels(TooMany):
    """The labels of job {job_id} are composed one by one, and one PDF holds at most {labels_max} of them. Ask for parts (--parts), or for codes."""  # noqa: E501


class TemplateFolderBroken(Invalid):
    """The folder {folder} is no label template: {what}."""


class TemplateTaken(Conflict):
    """The label template {name} {why}; give the changed one another name."""


class PreviewNotUsable(Invalid):
    """No preview of {what}: {why}."""


class LogisticsKindUnknown(Invalid):
    """There is no kind of logistic unit {kind}; there are {known}."""


class LogisticsCountNotUsable(Invalid):
    """{count} labels of cases or pallets cannot be ordered; a job has 1 to {count_max}."""


class CompanyPrefixNotUsable(Invalid):
    """An SSCC needs a GS1 company prefix of 4 to 12 digits and an extension digit; given are "{prefix}" and {extension}. Give --company-prefix, or set TRACEMARK_COMPANY_PREFIX."""  # noqa: E501


class SsccsUsedUp(TooMany):
    """The series of company prefix {prefix} with the extension digit {extension} has not so many numbers left; take another extension digit."""  # noqa: E501


class LogisticsJobNotFound(NotFound):
    """There is no job of logistic labels {job_id}."""


class CopiesNotUsable(Invalid):
    """{copies} copies of each label cannot be printed; 1 to {copies_max} can."""


class ColumnUnknown(Invalid):
    """A pack cannot have the columns asked for ({column}); there are {known}, each once."""


class PackFormatUnknown(Invalid):
    """A pack has no files of the kind {format}; there are {known}."""


class RollNotUsable(Invalid):
    """A pack cannot be divided into files of {per_roll} labels: it has at most {rolls_max} files, a workbook at most {rows_max} codes."""  # noqa: E501


class PackNotReadable(Invalid):
    """The pack {path} cannot be checked: {why}."""


class PackBroken(Conflict):
    """The pack {path} is not whole: {what}. Do not print from it; ask for it again."""


class ReceiptNotUsable(Invalid):
    """Say who received the codes and by what receipt, in 1 to {characters_max} characters each."""


class PhotoNotReadable(Invalid):
    """This photo cannot be used: {problem}."""


class SessionNameNotUsable(Invalid):
    """A run of the line needs a name of 1 to {characters_max} characters, for example "line 2, Tuesday early"."""
