"""What letters, posters and model notices say around the author's own words, in each of our languages."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from recall.model import Depth

_EN: Final = {
    "drill": "DRILL – for practice only. No goods are affected.",
    "heading": "Product safety recall",
    "letter_heading": "URGENT: PRODUCT RECALL",
    "withdrawal_heading": "Product withdrawal",
    "product": "Product",
    "brand": "Brand",
    "lots": "Lots",
    "gtin": "GTIN",
    "best_before": "Best before",
    "serials": "Serials",
    "whole_lot": "all of the lot",
    "where_code": "The lot stands on the pack, beside the date; the item's own code can be scanned.",
    "sold": "Handed out from {first} to {last}.",
    "sold_unknown": "The dates of distribution are not on record.",
    "sold_through": "Sold through: {channels}.",
    "hazard": "Danger",
    "hazard_class": "Hazard class {n}",
    "what_to_do": "What you must do",
    "remedies": "What you get",
    "contact": "Ask us, free of charge",
    "pass_on": "Please pass this on to everybody who may have the product.",
    "scan": "Check your own item: scan this code, or open",
    "post_until": "Please leave this poster up until {date}.",
    "case": "Case {number}, version {version}, {date}",
    "to": "To",
    "attention": "For the attention of",
    "your_goods": "Your goods",
    "not_affected": "Not affected any more",
    "shipped": "Shipped to you",
    "expected": "Expected with you",
    "ship_dates": "Ship dates",
    "documents": "Documents",
    "depth_consumer": "This recall is carried out to the consumer level.",
    "depth_retail": "This recall is carried out to the retail level.",
    "depth_wholesale": "This recall is carried out to the wholesale level.",
    "cease": "Stop handing out these goods now and keep them apart.",
    "sub_recall": "If you sent any of them on between {first} and {last}, tell those you sent them to at once, with a "
    "copy of this letter. This is part of the recall.",
    "sub_recall_undated": "If you sent any of them on, tell those you sent them to at once, with a copy of this "
    "letter. This is part of the recall.",
    "answer": "Answer within a day, without an account",
    "form": "Response form",
    "form_intro": "Fill in, sign and send back – also when you have nothing left.",
    "form_received": "We received this notice on",
    "form_followed": "We have followed every instruction in it",
    "yes_no": "yes ☐   no ☐",
    "form_on_hand": "On hand when we received it",
    "form_apart": "Kept apart",
    "form_returned": "Sent back",
    "form_destroyed": "Destroyed",
    "form_sold": "Sent on before",
    "form_told": "We have told those we sent it to",
    "form_name": "Name and title",
    "form_signature": "Signature",
    "form_date": "Date",
    "call": "Telephone",
    "page": "Page",
}
_ZH: Final = {
    "drill": "演练——仅供练习，没有货物受影响。",
    "heading": "产品安全召回",
    "letter_heading": "紧急：产品召回",
    "withdrawal_heading": "产品下架通知",
    "product": "产品",
    "brand": "品牌",
    "lots": "批号",
    "gtin": "GTIN",
    "best_before": "保质期至",
    "serials": "序列号",
    "whole_lot": "整批",
    "where_code": "批号印在包装上日期旁边；也可扫描产品上的二维码。",
    "sold": "发货时间：{first} 至 {last}。",
    "sold_unknown": "没有发货日期记录。",
    "sold_through": "销售渠道：{channels}。",
    "hazard": "危害",
    "hazard_class": "危害等级 {n}",
    "what_to_do": "您必须做什么",
    "remedies": "您可以获得",
    "contact": "免费咨询",
    "pass_on": "请转告可能持有该产品的所有人。",
    "scan": "查询您手中的产品：扫描此码，或打开",
    "post_until": "请张贴至 {date}。",
    "case": "案号 {number}，第 {version} 版，{date}",
    "to": "致",
    "attention": "收件人",
    "your_goods": "贵方的货物",
    "not_affected": "不再受影响",
    "shipped": "发给贵方",
    "expected": "应在贵方",
    "ship_dates": "发货日期",
    "documents": "单据",
    "depth_consumer": "本次召回实施至消费者层级。",
    "depth_retail": "本次召回实施至零售层级。",
    "depth_wholesale": "本次召回实施至批发层级。",
    "cease": "请立即停止发放这些货物并隔离存放。",
    "sub_recall": "如贵方在 {first} 至 {last} 期间将其中任何货物转售，请立即附本函通知收货方。这是召回的一部分。",
    "sub_recall_undated": "如贵方已将其中任何货物转售，请立即附本函通知收货方。这是召回的一部分。",
    "answer": "请在一天内答复，无需账号",
    "form": "回执",
    "form_intro": "请填写、签字并寄回；即使已无库存也请寄回。",
    "form_received": "收到通知日期",
    "form_followed": "已执行其中全部要求",
    "yes_no": "是 ☐   否 ☐",
    "form_on_hand": "收到时库存",
    "form_apart": "已隔离",
    "form_returned": "已退回",
    "form_destroyed": "已销毁",
    "form_sold": "此前已转售",
    "form_told": "已通知我方的收货方",
    "form_name": "姓名和职务",
    "form_signature": "签字",
    "form_date": "日期",
    "call": "电话",
    "page": "页",
}
TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"en": _EN, "zh": _ZH})


def say(language: str, key: str, **values: object) -> str:
    """The text of ``key``; a missing key is a failure of ours and raises."""
    return TEXTS[language][key].format(**values)


def depth_sentence(language: str, depth: Depth) -> str:
    """How far down the case reaches, as a letter must say it (21 CFR 7.49)."""
    return say(language, f"depth_{depth.value}")
