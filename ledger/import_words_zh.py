"""Chinese headers and words of the files that the import takes: a factory's own sheet needs no translation.

A column has one name that templates are written with, and others that sheets are found to have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "gln": ("全球位置码", "位置码", "厂商位置码"), "uri": ("标识", "网址标识"),
    "name": ("名称", "企业名称", "商品名称", "品名"), "role": ("角色",),
    "name_public": ("公开名称",), "channel": ("渠道", "销售渠道"),
    "country": ("国家", "国别"), "region": ("省份", "省", "地区"), "city": ("城市", "市"),
    "address": ("地址", "详细地址"), "recall_name": ("召回联系人",), "recall_phone": ("召回电话",),
    "recall_email": ("召回邮箱",), "alternate_name": ("备用联系人",), "alternate_phone": ("备用电话",),
    "alternate_email": ("备用邮箱",), "responsible_name": ("责任人",), "responsible_phone": ("责任人电话",),
    "responsible_email": ("责任人邮箱",), "recall_language": ("联系语言",), "recall_hours": ("联系时间",),
    "kind": ("地点类型", "类型"), "party": ("所属企业",), "gtin": ("商品条码", "条码", "商品编码", "GTIN码"),
    "name_zh": ("中文名称",), "storage_zh": ("中文贮存条件", "贮存条件"),
    "ingredients_zh": ("中文配料", "配料", "配料表"), "name_en": ("英文名称",),
    "storage_en": ("英文贮存条件",), "ingredients_en": ("英文配料",), "brand": ("品牌",),
    "brand_party": ("品牌企业",), "profile": ("行业",), "ours": ("自有产品", "是否自有"),
    "shelf_life_days": ("保质期天数", "保质期"), "date_kind": ("日期类型",), "allergens": ("致敏物", "过敏原"),
    "image": ("图片",), "checks": ("查询计数",), "lot": ("批号", "批次", "批次号", "生产批号"),
    "made_on": ("生产日期",), "best_before_on": ("保质期至", "有效期至", "到期日期"),
    "made_at": ("生产地点", "产地"), "supplier": ("供应商", "供货商"), "quantity": ("数量",),
    "uom": ("单位", "计量单位"), "status": ("批次状态", "状态"), "status_reason": ("状态原因",),
    "inspected_at": ("检验时间", "检验日期"), "result": ("检验结果", "结果"),
    "report": ("检验报告", "报告编号"), "inspector": ("检验员", "检验人"),
    "shipped_at": ("发货时间", "发货日期"), "received_at": ("收货时间", "收货日期"),
    "document": ("单据号", "送货单号"), "from_place": ("发货地点",), "from_party": ("发货方", "发货企业"),
    "to_place": ("收货地点",), "to_party": ("收货方", "收货企业"), "sscc": ("物流单元码", "箱码"),
    "code": ("追溯码", "二维码"),
}  # fmt: skip

NAME_BY_COLUMN: Final[Mapping[str, str]] = MappingProxyType({column: names[0] for column, names in _NAMES.items()})
"""The Chinese name with which a template is written."""
_COLUMN_BY_NAME: Final = {name.lower(): column for column, names in _NAMES.items() for name in names}
_REMARK: Final = re.compile(r"[（(\[【].*?[)）\]】]|[*＊:：\s]")

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "品牌商": "brand", "供应商": "supplier", "供货商": "supplier", "生产商": "manufacturer",
        "制造商": "manufacturer", "承运商": "carrier", "物流商": "carrier", "经销商": "distributor",
        "分销商": "distributor", "零售商": "retailer", "餐饮": "food_service", "消费者": "consumer",
        "其他": "other", "零售": "retail", "批发": "wholesale", "电商": "online", "线上": "online",
        "直销": "direct", "工厂": "plant", "仓库": "warehouse", "门店": "store", "车辆": "vehicle",
        "家庭": "home", "食品": "food", "药品": "pharma", "汽车": "auto", "消费品": "consumer",
        "最佳食用期": "best_before", "保质期": "best_before", "使用期限": "use_by", "有效期": "expiry",
        "精确": "exact", "延后显示": "shown_later", "不计": "off", "放行": "released", "已放行": "released",
        "待定": "held", "暂扣": "held", "拒收": "rejected", "不合格": "failed", "合格": "passed",
        "待检": "pending",
    }
)  # fmt: skip
"""The word of the ledger for a Chinese one, in the columns that take one word of a list."""


def column_of(written: str) -> str | None:
    """The column that a Chinese header names; a remark in brackets, a star for “needed” or a colon is looked over."""
    return _COLUMN_BY_NAME.get(_REMARK.sub("", written).lower())
