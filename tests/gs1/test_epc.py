"""The identifiers of EPCIS documents: URNs, classes, patterns and constrained Digital Links."""

from __future__ import annotations

import pytest

from gs1 import digital_link, epc, errors
from gs1.errors import GS1Error
from tests.gs1.numbers import CHEESE, DAIRY


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("urn:epc:id:sgtin:9524000.001802.4F7K", "/01/09524000018021/21/4F7K"),
        ("urn:epc:id:sgtin:9524000.301802.4F7K", "/01/39524000018022/21/4F7K"),
        ("urn:epc:id:sgtin:952400001802.0.a%2Fb.c", "/01/09524000018021/21/a%2Fb.c"),
        ("urn:epc:class:lgtin:9524000.001802.C1", "/01/09524000018021/10/C1"),
        ("urn:epc:idpat:sgtin:9524000.001802.*", "/01/09524000018021"),
        ("urn:epc:id:upui:9524000.001802.TPX", "/01/09524000018021/235/TPX"),
        ("urn:epc:id:sscc:9524000.0000000178", "/00/095240000000001788"),
        ("urn:epc:id:sgln:9524000.00005.0", f"/414/{DAIRY}"),
        ("urn:epc:id:sgln:952400000005..0", f"/414/{DAIRY}"),
        ("urn:epc:id:sgln:9524000.00005.D1", f"/414/{DAIRY}/254/D1"),
        ("urn:epc:id:pgln:9524000.00005", f"/417/{DAIRY}"),
        ("urn:epc:id:grai:9524000.00005.CRATE1", f"/8003/0{DAIRY}CRATE1"),
        ("urn:epc:idpat:grai:9524000.00005.*", f"/8003/0{DAIRY}"),
        ("urn:epc:id:giai:9524000.A1", "/8004/9524000A1"),
        ("urn:epc:id:gsrn:9524000.0000000001", "/8018/952400000000000015"),
        ("urn:epc:id:gsrnp:9524000.0000000001", "/8017/952400000000000015"),
        ("urn:epc:id:gdti:9524000.00005.DOC", f"/253/{DAIRY}DOC"),
        ("urn:epc:idpat:gdti:9524000.00005.*", f"/253/{DAIRY}"),
        ("urn:epc:id:cpi:9524000.5PQ7%2FZ.12", "/8010/95240005PQ7%2FZ/8011/12"),
        ("urn:epc:idpat:cpi:9524000.5PQ7.*", "/8010/95240005PQ7"),
        ("urn:epc:id:sgcn:9524000.00005.123", f"/255/{DAIRY}123"),
        ("urn:epc:id:ginc:9524000.ABC", "/401/9524000ABC"),
        ("urn:epc:id:gsin:9524000.000000012", "/402/95240000000000125"),
        ("urn:epc:id:itip:9524000.001802.01.02.7", "/8006/095240000180210102/21/7"),
        ("urn:epc:idpat:itip:9524000.001802.01.02.*", "/8006/095240000180210102"),
        (f"https://id.gs1.org/01/{CHEESE}", f"/01/{CHEESE}"),
        (f"https://q.example/x/01/{CHEESE}/10/C1", f"/01/{CHEESE}/10/C1"),
        (f"https://q.example/01/{CHEESE}/21/7", f"/01/{CHEESE}/21/7"),
        (f"https://q.example/414/{DAIRY}/254/D1", f"/414/{DAIRY}/254/D1"),
    ],
)
def test_the_uris_of_epcis_are_read(uri: str, path: str) -> None:
    assert digital_link.path_of(epc.from_epc(uri)) == path
    assert epc.is_gs1_identifier(uri)


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("urn:epc:id:sgtin:9524000.01802.1", errors.BadEpc),
        ("urn:epc:id:sgtin:9524000.0018020.1", errors.BadEpc),
        ("urn:epc:id:sgtin:95240.00001802.1", errors.BadEpc),
        ("urn:epc:id:sgtin:9524000000057.1.1", errors.BadEpc),
        ("urn:epc:id:sgtin:952400A.001802.1", errors.BadEpc),
        ("urn:epc:id:sgtin:9524000.00180x.1", errors.BadEpc),
        ("urn:epc:id:sgtin:9524000.001802", errors.BadEpc),
        ("urn:epc:id:sgtin:9524000.001802.", errors.BadEpc),
        ("urn:epc:id:sgtin:9524000.001802.a/b", errors.BadEpc),
        ("urn:epc:id:sgtin:9524000.001802.a b", errors.BadEpc),
        ("urn:epc:id:sgtin:9524000.001802.a%2", errors.BadEscape),
        ("urn:epc:id:sgtin:9524000.001802.a%00", errors.BadEscape),
        ("urn:epc:id:sgtin:9524000.001802.%E6%89%B9", errors.BadCharacter),
        ("urn:epc:id:sgtin:9524000.001802.123456789012345678901", errors.BadLength),
        ("urn:epc:id:sgtin:000000000000.0.1", errors.BadContent),
        ("urn:epc:idpat:sgtin:9524000.001802.1", errors.BadEpc),
        ("urn:epc:idpat:sgtin:9524000.*.*", errors.BadEpc),
        ("urn:epc:class:lgtin:9524000.001802", errors.BadEpc),
        ("urn:epc:id:sgln:9524000.00005", errors.BadEpc),
        ("urn:epc:id:giai:9524000.", errors.BadEpc),
        ("urn:epc:id:cpi:9524000.abc.1", errors.BadCharacter),
        ("urn:epc:id:itip:9524000.001802.03.02.7", errors.BadContent),
        ("urn:epc:id:gid:12.34.56", errors.NotSupported),
        ("urn:epc:id:bic:CSQU3054383", errors.NotSupported),
        ("urn:epc:tag:sgtin-96:1.9524000.001802.1", errors.BadEpc),
        ("urn:EPC:id:sgtin:9524000.001802.1", errors.BadEpc),
        ("urn:uuid:00000000-0000-4000-8000-000000000000", errors.BadEpc),
        ("urn:epc:id:sgtin:9524000.001802." + "1" * 255, errors.InputTooLong),
        (f"https://q.example/01/{CHEESE}?17=270131", errors.BadEpc),
        (f"https://q.example/01/{CHEESE}/10/C1/21/7", errors.BadEpc),
        (f"https://q.example/01/{CHEESE}/22/2A", errors.BadEpc),
        (f"https://q.example/415/{DAIRY}/8020/INV1", errors.BadEpc),
        ("https://q.example/01/09524000018025", errors.BadCheckDigit),
        ("https://q.example/recalls", errors.GS1Error),
        ("", errors.EmptyInput),
    ],
)
def test_what_is_no_gs1_identifier_is_refused(uri: str, kind: type[GS1Error]) -> None:
    with pytest.raises(kind) as refusal:
        epc.from_epc(uri)

    assert refusal.value.position is None or 0 <= refusal.value.position <= len(uri)
    assert not epc.is_gs1_identifier(uri)
