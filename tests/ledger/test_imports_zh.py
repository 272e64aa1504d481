"""Sheets of a Chinese factory are taken as they are: their own headers and words, the encodings they come in."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import cells, master_data
from ledger.codes import KeyRing
from ledger.import_kinds import KINDS
from ledger.import_words_zh import NAME_BY_COLUMN, WORDS, column_of
from ledger.imports import HeaderWrong, ImportRefused, import_file, template
from tests.ledger import dairy as d

SHEET = f"商品条码*,批号（必填）,生产日期,批次状态\n{d.MILK},M7,2026-03-01,放行\n"
CHECKS = f"商品条码,批次,检验时间,检验结果,检验员\n{d.MILK},M7,2026-03-02T08:00+08:00,不合格,李波\n"


async def test_a_sheet_in_chinese_is_taken_and_its_wrong_cell_is_named(conn: AsyncConnection) -> None:
    async def take(kind: str, sheet: str, encoding: str) -> int:
        told = sheet.encode(encoding)
        report = await import_file(conn, kind, told, by="test", clock=d.clock, keys=KeyRing({}))
        return report.new

    await take("products", f"商品条码,商品名称\n{d.MILK},鲜牛奶\n", "utf-8-sig")
    taken = [await take("lots", SHEET, "gb18030"), await take("inspections", CHECKS, "utf-16")]

    assert taken == [1, 1]
    lot = await master_data.get_lot(conn, d.MILK, "M7")
    assert (str(lot.made_on), lot.status) == ("2026-03-01", "rejected")
    with pytest.raises(ImportRefused) as refused:
        await take("lots", SHEET.replace("放行", "很好"), "gb18030")
    assert refused.value.faults[0].where == "row 2, column status"
    with pytest.raises(HeaderWrong, match="商品条马"):
        await take("lots", SHEET.replace("条码", "条马"), "gb18030")


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_template_in_chinese_names_every_column(kind: object) -> None:
    known = KINDS[str(getattr(kind, "name", ""))]
    header = template(known.name, language="zh").splitlines()[0]

    assert header.startswith("\ufeff")
    assert [column_of(name) for name in header.removeprefix("\ufeff").split(",")] == [c.name for c in known.columns]


def test_no_two_columns_have_one_name_and_every_word_is_one_of_some_column() -> None:
    assert len(set(NAME_BY_COLUMN.values())) == len(NAME_BY_COLUMN)
    assert column_of("供应商") == "supplier" and column_of("供应") is None
    allowed = {WORDS["合格"], WORDS["不合格"], WORDS["待检"]}
    assert allowed == {"passed", "failed", "pending"}
    assert cells.one_of(tuple(WORDS.values()))("经销商", cells.Notes()) == "distributor"
