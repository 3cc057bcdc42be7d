"""Names and numbers of people and shops, each following from an index alone: nothing about buyers is kept in memory."""

from __future__ import annotations

from typing import NamedTuple

SHOPS = (
    ("星河数卡", "xinghe"), ("闪电充值", "shandian"), ("万象卡盟", "wanxiang"), ("小鹿数码", "xiaolu"),
    ("极速话费铺", "jisu"), ("云端点卡", "yunduan"), ("蓝鲸卡券", "lanjing"), ("阿木充值", "amu"),
    ("橙子会员店", "chengzi"), ("北极星数卡", "beijixing"), ("天天话费", "tiantian"), ("码上到", "mashangdao"),
    ("青柠卡铺", "qingning"), ("飞鸟发卡", "feiniao"), ("大熊数码", "daxiong"), ("一点通充值", "yidiantong"),
    ("芒种卡盟", "mangzhong"), ("金豆豆", "jindoudou"), ("南风数卡", "nanfeng"), ("东篱软件", "dongli"),
    ("七号仓库", "qihao"), ("柚子卡券", "youzi"), ("流光会员", "liuguang"), ("麦田充值", "maitian"),
    ("鲸落数码", "jingluo"), ("墨白软件铺", "mobai"), ("有间小铺", "youjian"), ("银河点卡", "yinhe"),
    ("好多会员", "haoduo"), ("快乐充", "kuaile"), ("山海卡盟", "shanhai"), ("晨光数卡", "chenguang"),
    ("初见发卡", "chujian"), ("海棠卡券", "haitang"), ("风铃充值", "fengling"), ("木棉数码", "mumian"),
    ("老张话费", "laozhang"), ("小满会员店", "xiaoman"), ("千寻卡铺", "qianxun"), ("九州点卡", "jiuzhou"),
    ("听雨软件", "tingyu"), ("知夏数卡", "zhixia"), ("长风充值", "changfeng"), ("半糖会员", "bantang"),
    ("拾光卡券", "shiguang"), ("白鹭数码", "bailu"), ("松果发卡", "songguo"), ("沐沐充值", "mumu"),
    ("安心卡盟", "anxin"), ("小蓝数卡", "xiaolan"),
)  # fmt: skip
COMPANIES = ("网络科技有限公司", "信息技术有限公司", "数字科技有限公司", "电子商务有限公司")
SUPPLIERS = ("亿点通供货", "星权益", "聚卡源头", "速充通道", "优享权益", "卡立方", "数联分发", "鼎信话费")
STAFF = ("客服小王", "客服阿雯", "运营老李", "财务小周")


def _words(text: str) -> list[str]:
    return text.split()


_SURNAMES = "王李张刘陈杨黄赵周吴徐孙马胡朱郭何罗高林郑梁谢唐许冯宋韩邓彭曹曾田萧潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚"
_GIVEN = _words(
    "伟 芳 娜 敏 静 强 磊 洋 艳 勇 军 杰 娟 涛 明 超 霞 平 刚 桂英 玉兰 秀英 子涵 梓萱 浩然 宇轩 欣怡 诗涵 一诺 雨桐 俊杰 思远 嘉怡"
    " 晓东 晓燕 志强 建国 文博 雅婷 佳琪 梦洁 海燕 小龙 鹏飞 婷婷 天宇 子轩 若曦 沐宸 语嫣"
)
_SYLLABLES = _words("wang li zhang xiao chen yu lan hao feng ming xin jie tao lin yang mo qing bai an he")
_PHONES = _words(
    "134 135 136 137 138 139 147 150 151 152 157 158 159 178 182 183 184 187 188 198 130 131 132 145 155 156 166 175 176"
    " 185 186 133 149 153 173 177 180 181 189 199 192"
)
_MAILS = ("qq.com", "163.com", "126.com", "outlook.com", "gmail.com")
GUEST_SHARE = 40  # per cent
FIXED = (("chenmo", "陈默"), ("linxiaoyu", "林晓雨"), ("zhouyang", "周扬"))
"""The first buyers are the demo's people: always accounts."""


class Person(NamedTuple):
    """A buyer. Guests have no name; their login is their contact."""

    login: str
    name: str
    guest: bool
    phone: str
    qq: str
    email: str


def person(index: int, seed: int) -> Person:
    """The buyer number `index` (below 100 million) of seed `seed`."""
    mixed = (index * 2_654_435_761 + seed * 40_503 + 12_345) & 0xFFFFFFFF
    mixed ^= mixed >> 15
    # Multiplying by an odd number prime to 10 visits every 8-digit number once: no two buyers share a phone.
    phone = _PHONES[mixed % len(_PHONES)] + f"{(index * 73_939_133 + 10_000_019) % 100_000_000:08d}"
    qq = str(100_000_000 + (index * 48_271 + mixed % 97 * 10_000_000) % 3_000_000_000)
    if index < len(FIXED):
        login, name = FIXED[index]
        return Person(login, name, False, phone, qq, f"{login}@example.com")
    syllables = _SYLLABLES[mixed % 20] + _SYLLABLES[mixed // 20 % 20]
    login = f"{syllables}{index}"
    email = f"{login}@{_MAILS[mixed // 400 % 5]}"
    if mixed // 7 % 100 < GUEST_SHARE:
        return Person(phone if mixed & 1024 else email, "", True, phone, qq, email)
    name = _SURNAMES[mixed // 11 % len(_SURNAMES)] + _GIVEN[mixed // 577 % len(_GIVEN)]
    return Person(login, name, False, phone, qq, email)
