"""What is printed of a case: each owner's own lines, the law's headings, drills marked, archives that are whole."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from lxml import etree
from python_calamine import CalamineWorkbook
from sqlalchemy.ext.asyncio import AsyncConnection

from labels import symbol
from recall import (
    acknowledgements,
    archive,
    archiving,
    casework,
    deliveries_store,
    letters,
    print_documents,
    rules_store,
)
from recall.acknowledgements import AnswerDraft, AnswerLine
from recall.gs1_messages import SERIAL_CHARACTERS_MAX
from recall.model import Text
from recall.print_documents import Asked
from recall.rules_refusals import ArchiveNotUsable, DocumentNotKnown, GdtiNotSet, NothingToPrint
from tests.house.documents import ROOT
from tests.recall.creamery import CHEESE, CORNER_SHOP, MILK, SECRET, Creamery, clock
from tests.recall.desk import published

ASKED = Asked("en", symbol.matrix, "https://id.example.com", SECRET, clock)
TEXTS = {
    "en": Text("Recall of cheese", "It may contain Listeria.", ("Stop eating it now.",), ("Refund or replacement.",)),
    "zh": Text("召回农家奶酪", "可能含有李斯特菌。", ("请立即停止食用。",), ("退款或更换。",)),
}  # fmt: skip


def _pages(content: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(content)
    return [page.get_textpage().get_text_range() for page in document]


def _plain(content: bytes) -> str:
    return re.sub(r"\s+", "", "".join(_pages(content)))


async def _case(conn: AsyncConnection, dairy: Creamery, **more: Any) -> str:
    told = {"texts": TEXTS, "contact": {"phone": "0800 111"}, "lots": ((MILK, "M1"),), **more}
    return await published(conn, dairy, **told)


async def test_the_model_notice_is_one_page_with_the_heading_of_the_law_and_a_code_that_reads(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await _case(conn, dairy, profile="eu-gpsr")
    for language, heading in (("en", "Product safety recall"), ("zh", "产品安全召回")):
        ((name, content),) = (
            await print_documents.make(conn, number, "notice", replace(ASKED, language=language))
        ).items()
        (page,) = _pages(content)
        assert name == f"{number}_v1_notice_{language}.pdf"
        assert page.lstrip().startswith(heading)
        told = _plain(content)
        for wanted in (CHEESE, "C1", "0800111", TEXTS[language].hazard, f"/recalls/{number}?lang={language}"):
            assert re.sub(r"\s", "", wanted) in told
    assert "2026-11-" in told, "the dates of distribution"


async def test_a_letter_has_the_lines_of_its_owner_and_of_nobody_else(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await _case(conn, dairy, profile="us-fda-food", title="Cheese")
    files: dict[str, bytes] = {}
    for recipient in ("North Depot", "Corner Shop"):
        files |= await print_documents.make(conn, number, "letters", replace(ASKED, recipient=recipient))
    by_owner = {
        name: text for text in map(_plain, files.values()) for name in ("NorthDepot", "CornerShop") if name in text
    }
    assert len(files) == len(by_owner) == 2, "each letter names one owner"
    assert "DES-1" in by_owner["NorthDepot"] and "DES-2" not in by_owner["NorthDepot"]
    assert "DES-2" in by_owner["CornerShop"] and "DES-1" not in by_owner["CornerShop"]
    for text in by_owner.values():
        assert "URGENT:FOODRECALL" in text and "carriedouttotheconsumerlevel" in text and "Responseform" in text
    one = await print_documents.make(conn, number, "letters", replace(ASKED, recipient="Corner Shop", language="zh"))
    assert ["紧急:食品召回" in _plain(content).replace("：", ":") for content in one.values()] == [True]
    with pytest.raises(NothingToPrint):
        await print_documents.make(conn, number, "letters", replace(ASKED, recipient="River Market"))


async def test_whoever_has_a_telephone_only_stands_on_the_list_of_calls(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await _case(conn, dairy)
    files = await print_documents.make(conn, number, "calls", ASKED)
    book = CalamineWorkbook.from_filelike(io.BytesIO(files[f"{number}_v1_calls.xlsx"]))
    head, *rows = book.get_sheet_by_name("calls").to_python()
    assert str(head[1]).splitlines() == ["owner", "货主"]
    assert {(row[1], row[5]) for row in rows} >= {("Corner Shop", "'+44 20 7946 0100")}
    assert "Mira" not in {row[1] for row in rows}, "nobody knows how to reach her"
    assert "CornerShop" in _plain(files[f"{number}_v1_calls.pdf"])


async def test_reports_to_authorities_say_what_is_on_record_and_mark_what_is_not(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await _case(conn, dairy, profile="cn-food", contact={"phone": "400 800", "name": "Ada Field"})
    plan = _plain(next(iter((await print_documents.make(conn, number, "samr-plan", ASKED)).values())))
    told = _plain(next(iter((await print_documents.make(conn, number, "samr-announcement", ASKED)).values())))
    assert "食品召回计划" in plan and "MeadowCreamery" in plan and "一级" in plan and "无记录，请补充" in plan
    assert "提交前须补充" in plan and "法定代表人、期限、公告内容和发布媒体、预期效果" in plan
    assert "食品召回公告" in told and "400800" in told and "AdaField" in told
    status = await print_documents.make(conn, number, "fda-status", ASKED)
    assert "0of4" in _plain(status[f"{number}_v1_fda-status.pdf"]) and "Estimatedcompletion" in _plain(
        status[f"{number}_v1_fda-status.pdf"]
    )


def _message(content: bytes) -> Any:
    """The message, which has the structure that is written down, and would not with an element less."""
    grammar = etree.RelaxNG(etree.parse(ROOT / "docs/reference/gs1-recall-messages.rng"))
    root = etree.fromstring(content)
    grammar.assertValid(root)
    for element in root:
        less = etree.fromstring(content)
        less.remove(less[root.index(element)])
        if element.tag not in ("pRNVersionStatusCode", "quantity", "impactedRecipient"):
            assert not grammar.validate(less), f"{element.tag} is asked for"
    return root


async def test_messages_of_gs1_name_the_version_by_a_gdti_and_the_initiator(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await _case(conn, dairy)
    files = await print_documents.make(conn, number, "gs1", replace(ASKED, gdti="9506000134307"))
    root = _message(files[f"{number}_v1_notification.xml"])
    assert root.findtext("pRNIdentification") == f"9506000134307{number.replace('-', '')}V1"
    assert root.findtext("incidentRiskLevelCode") == "CLASS_1" and root.findtext("pRNVersionStatusCode") == "INITIAL"
    assert {each.text for each in root.iterfind(".//batchNumber")} == {"M1", "C1"}
    assert list(files) == [f"{number}_v1_notification.xml"], "nobody answered, and the case is open"
    for wrong in ("", "9506000134308", "12"):
        with pytest.raises(GdtiNotSet):
            await print_documents.make(conn, number, "gs1", replace(ASKED, gdti=wrong))


async def test_a_removal_confirmation_names_itself_the_notice_and_the_first_notice(
    conn: AsyncConnection, dairy: Creamery
) -> None:
    number = await _case(conn, dairy)
    line = AnswerLine(CHEESE, "C1", quantities={"on_hand": Decimal(9), "returned": Decimal(9)})
    draft = AnswerDraft("Cleo", affected=True, complete=True, lines=[line], signature="Cleo")
    await acknowledgements.answer_for(conn, number, CORNER_SHOP, draft, via="phone", by="Ada", clock=clock)
    files = await print_documents.make(conn, number, "gs1", replace(ASKED, gdti="9506000134307"))
    [name] = [name for name in files if "_removal_" in name]
    root = _message(files[name])
    first = f"9506000134307{number.replace('-', '')}V1"
    assert root.findtext("originalPRNIdentification") == root.findtext("pRNIdentification") == first
    own = root.findtext("productRemovalConfirmationIdentification")
    assert own is not None and own.startswith(f"{first}C") and len(own) <= 13 + SERIAL_CHARACTERS_MAX
    assert root.findtext("impactedRecipient") == CORNER_SHOP
    assert {each.get("type"): each.text for each in root.iterfind("quantity")}["returned"] == "9"

    await casework.close(conn, number, reason="all is back", by="Ada", clock=clock, override="few goods")
    files = await print_documents.make(conn, number, "gs1", replace(ASKED, gdti="9506000134307"))
    closeout = _message(files[f"{number}_v1_closeout.xml"])
    assert (closeout.findtext("pRNIdentification"), closeout.findtext("closeoutReason")) == (first, "all is back")


async def test_a_drill_is_marked_on_all_that_is_printed(conn: AsyncConnection, dairy: Creamery) -> None:
    report = await casework.drill(conn, dairy.code(dairy.c1[0]), by="Ada", clock=clock, keys=dairy.keys)
    for kind in ("poster", "letters"):
        files = await print_documents.make(conn, report.number, kind, replace(ASKED, recipient="Corner Shop"))
        assert all(
            re.search("practice only|仅供练习", " ".join(_pages(c))) for n, c in files.items() if n.endswith("pdf")
        )
        assert all("_DRILL_" in name for name in files)


async def test_what_is_not_a_document_is_refused(conn: AsyncConnection, dairy: Creamery) -> None:
    number = await _case(conn, dairy)
    for kind, language in (("telegram", "en"), ("poster", "fr")):
        with pytest.raises(DocumentNotKnown, match="poster"):
            await print_documents.make(conn, number, kind, replace(ASKED, language=language))
    assert await rules_store.letters_of(conn, 0, 1, every=True, recipient=None, limit=1) == {}
    assert await deliveries_store.outgoing(conn, []) == ()


def test_an_address_in_a_text_is_never_asked() -> None:
    values: dict[str, Any] = {
        "language": "en", "is_drill": False, "number": "R", "version": 1, "heading": "x", "hash": "", "missing": "",
        "parts": [{"title": '<img src="http://127.0.0.1:9/x.png">', "columns": (), "rows": ()}],
    }  # fmt: skip
    assert "<img" in "".join(_pages(letters.pdf_of("regulator.html", **values))), "markup in a text is text"


async def test_an_archive_holds_the_case_and_every_change_of_a_byte_is_found(
    conn: AsyncConnection, dairy: Creamery, tmp_path: Path
) -> None:
    number = await _case(conn, dairy, profile="eu-gpsr")
    path, checked = await archiving.write_archive(conn, number, tmp_path / "a.zip", ASKED, by="Ada", clock=clock)
    with zipfile.ZipFile(path) as found:
        names = set(found.namelist())
    assert {"case.json", "rules.json", "audit.json", "answers.json", "board.json", "manifest.json"} <= names
    assert {f"notices/{number}_v1_notices.{form}" for form in ("json", "csv", "xlsx", "pdf")} <= names
    assert f"documents/{number}_v1_notice_zh.pdf" in names
    assert archive.verify(path, key=checked.key) == checked
    with pytest.raises(ArchiveNotUsable, match="is signed with the key"):
        archive.verify(path, key="0" * 32)

    for changed in ("case.json", "manifest.json"):
        (tmp_path / "b.zip").write_bytes(_altered(path.read_bytes(), changed))
        with pytest.raises(ArchiveNotUsable, match=r"was changed|signature"):
            archive.verify(tmp_path / "b.zip")
    (tmp_path / "b.zip").write_bytes(b"no zip")
    with pytest.raises(ArchiveNotUsable):
        archive.verify(tmp_path / "b.zip")
    (tmp_path / "b.zip").write_bytes(_altered(path.read_bytes(), None))
    with pytest.raises(ArchiveNotUsable, match="other files"):
        archive.verify(tmp_path / "b.zip")


def _altered(content: bytes, changed: str | None) -> bytes:
    """The same zip with one file changed, or (None) with one more."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            told = source.read(name)
            target.writestr(name, told.replace(b"R-2026", b"R-2027") if name == changed else told)
        if changed is None:
            target.writestr("more.txt", b"x")
    return out.getvalue()
