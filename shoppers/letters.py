"""Letters to shoppers who asked for them, and to the brand. Recall texts are the authors' own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from runtime.mail import Letter
from runtime.secrets import link_code
from shoppers.model import Alert, Unusual

CONFIRM: Final = "alert/confirm"
END: Final = "alert/end"

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "confirm_subject": "Please confirm: recall alerts for {product}",
        "confirm": "Somebody, probably you, asked to be told by e-mail when {what} is recalled.\n\n"
        "Confirm here:\n{link}\n\n"
        "If it was not you, do nothing: without your confirmation there will be no further letter.\n",
        "recall_subject": "Product safety recall: {product}",
        "recall": "Product safety recall. Stop using this product now.\n\n{title}\n{hazard}\n\n{actions}\n\n{contact}\n"
        "Is your pack affected? Compare its lot here, or scan its code:\n{link}\n\n"
        "You asked to be told of recalls of {what}. No more letters: {end}\n",
        "product_what": "{product} (GTIN {gtin})",
        "lot_what": "{product} (GTIN {gtin}), lot {lot}",
        "phone": "Telephone: {phone}",
        "action": "Stop using the product and keep it apart from other products.",
    },
    "zh": {
        "confirm_subject": "请确认：{product}的召回提醒",
        "confirm": "有人（可能是您）请求在{what}被召回时收到邮件通知。\n\n请点击确认：\n{link}"
        "\n\n如非您本人操作，请忽略：未经确认，不会再有邮件。\n",
        "recall_subject": "产品安全召回：{product}",
        "recall": "产品安全召回：请立即停止使用本产品。\n\n{title}\n{hazard}\n\n{actions}\n\n{contact}\n"
        "您的产品是否受影响？请在此核对批次，或扫描包装上的码：\n{link}\n\n"
        "您曾请求接收{what}的召回提醒。退订：{end}\n",
        "product_what": "{product}（GTIN {gtin}）",
        "lot_what": "{product}（GTIN {gtin}）批次{lot}",
        "phone": "电话：{phone}",
        "action": "请停止使用该产品，并与其他产品分开存放。",
    },
}


def confirm_letter(alert: Alert, *, base_url: str, secret: str) -> Letter:
    """The first of two steps: nothing is sent to an address that did not say yes."""
    words = _words(alert)
    link = (
        f"{base_url}/alerts/{alert.alert_id}/confirm/{link_code(secret, CONFIRM, alert.alert_id)}?lang={alert.language}"
    )
    subject = words["confirm_subject"].format(product=alert.product)
    return Letter(to=alert.email, subject=subject, text=words["confirm"].format(what=_what(alert, words), link=link))


def recall_letter(alert: Alert, case: Any, *, base_url: str, secret: str) -> Letter:
    """A recall, with the one-click way out that mail programs show (RFC 8058)."""
    words = _words(alert)
    written: Mapping[str, Any] = case.texts.get(alert.language) or next(iter(case.texts.values()), {})
    end = f"{base_url}/alerts/{alert.alert_id}/end/{link_code(secret, END, alert.alert_id)}?lang={alert.language}"
    phone = case.contact.get("phone")
    text = words["recall"].format(
        title=written.get("title") or case.title,
        hazard=written.get("hazard") or case.hazard,
        actions="\n".join(f"- {action}" for action in written.get("actions") or [words["action"]]),
        contact=words["phone"].format(phone=phone) + "\n" if phone else "",
        link=f"{base_url}/recalls/{case.number}?lang={alert.language}",
        what=_what(alert, words),
        end=end,
    )
    return Letter(
        to=alert.email,
        subject=words["recall_subject"].format(product=alert.product),
        text=text,
        headers={"List-Unsubscribe": f"<{end}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
        message_id=f"<alert-{alert.alert_id}-{case.number}-{case.version}@{urlsplit(base_url).hostname}>",
    )


def unusual_letter(to: str, found: Sequence[Unusual], *, base_url: str) -> Letter:
    """To the brand: what the rules found since the letter before."""
    lines = [f"{each.rule}: {each.counted} within {each.within_days} days, GTIN {each.gtin or '-'}" for each in found]
    text = "\n".join(
        ["Checks of these items met a rule for unusual activity:", "", *lines, "", f"{base_url}/console/unusual"]
    )
    return Letter(to=to, subject=f"Unusual activity: {len(found)} finding(s)", text=text)


def _words(alert: Alert) -> Mapping[str, str]:
    return _WORDS.get(alert.language.split("-", maxsplit=1)[0], _WORDS["en"])


def _what(alert: Alert, words: Mapping[str, str]) -> str:
    return words["lot_what" if alert.lot else "product_what"].format(
        product=alert.product, gtin=alert.gtin, lot=alert.lot
    )
