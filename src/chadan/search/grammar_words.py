"""The words the search box understands: keys and their Chinese names, statuses, categories, payment methods, views."""

from __future__ import annotations

from chadan.orders.states import Category, OrderStatus, PaymentMethod

KEYS: dict[str, tuple[str, ...]] = {
    "no": ("order", "order_no", "订单号", "订单编号", "单号", "订单"),
    "ext": (
        "txn",
        "external_no",
        "交易号",
        "交易单号",
        "流水号",
        "支付单号",
        "支付流水",
        "商户单号",
        "商户订单号",
        "微信单号",
        "支付宝单号",
        "支付宝交易号",
        "外部单号",
        "外部订单号",
        "渠道单号",
        "上游单号",
        "网关单号",
        "第三方单号",
    ),
    "account": (
        "phone",
        "账号",
        "帐号",
        "充值账号",
        "充值号码",
        "号码",
        "手机号",
        "手机",
        "电话",
        "qq",
        "qq号",
        "邮箱",
        "uid",
    ),
    "tail": ("尾号", "末四位"),
    "status": ("状态",),
    "category": ("品类", "分类", "类目"),
    "product": ("商品", "产品", "品牌"),
    "variant": ("规格",),
    "pay": ("payment", "payment_method", "支付方式", "付款方式", "支付"),
    "platform": ("channel", "source", "平台", "渠道", "来源"),
    "buyer": ("买家", "客户", "顾客", "用户"),
    "merchant": ("shop", "商户", "商家", "店铺"),
    "agent": ("代理", "代理商", "分销商"),
    "supplier": ("供货商", "供应商", "货源", "上游"),
    "tag": ("标签",),
    "amount": ("金额", "实付"),
    "face": ("face_value", "面值", "面额"),
    "qty": ("quantity", "数量", "件数"),
    "date": ("placed", "日期", "时间", "下单时间", "下单"),
    "paid": ("付款时间", "支付时间"),
    "completed": ("完成时间",),
    "refunded": ("退款时间",),
    "aftersale": ("after_sale", "售后"),
    "view": ("视图",),
    "sort": ("排序",),
    "limit": ("条数",),
    "text": ("note", "备注", "关键词"),
    "show": ("intent",),
    "metric": ("指标",),
    "group": ("group_by", "分组"),
}
KEY_OF: dict[str, str] = {alias: key for key, aliases in KEYS.items() for alias in (key, *aliases)}

FIELDS: dict[str, str] = {
    "no": "order_no",
    "ext": "external_no",
    "pay": "payment_method",
    "face": "face_value",
    "qty": "quantity",
    "aftersale": "has_after_sale",
    "view": "role_view",
    "show": "intent",
    "group": "group_by",
}
"""The OrderQuery field behind a key, where its name differs."""
KEY_BEFORE: dict[str, str] = {field: key for key, field in FIELDS.items()}

_S = OrderStatus
_STATUS: dict[tuple[OrderStatus, ...], tuple[str, ...]] = {
    (_S.PENDING_PAYMENT,): ("待付款", "待支付", "未付款", "未支付", "没付款", "未付", "unpaid", "pending"),
    (_S.PAID,): ("已付款", "已支付"),
    (_S.PAID, _S.PROCESSING): ("待发货", "未发货", "没发货", "undelivered"),
    (_S.PROCESSING,): ("处理中", "充值中", "进行中", "卡单", "卡住", "stuck"),
    (_S.DELIVERED,): ("已发货", "已发卡", "已出卡"),
    (_S.COMPLETED,): ("已完成", "完成", "完结", "交易成功", "交易完成", "成交"),
    (_S.DELIVERED, _S.COMPLETED): ("成功", "充值成功", "已到账", "到账", "successful"),
    (_S.PAID, _S.PROCESSING, _S.FAILED): ("没到账", "未到账", "不到账", "没收到", "没充上"),
    (_S.PENDING_PAYMENT, _S.PAID, _S.PROCESSING, _S.DELIVERED): ("未完成", "没完成", "未完结"),
    (_S.CANCELLED,): ("已取消", "取消", "已关闭", "关闭", "交易关闭", "作废", "撤单", "canceled", "closed"),
    (_S.AFTER_SALE,): (
        "售后中",
        "售后",
        "售后单",
        "申请退款",
        "退款申请",
        "退款中",
        "待退款",
        "退款失败",
        "维权",
        "投诉",
        "refunding",
    ),
    (_S.REFUNDED,): ("已退款", "退款", "退款成功"),
    (_S.FAILED,): ("失败", "充值失败", "未成功", "充不上"),
    (_S.AFTER_SALE, _S.FAILED): ("异常", "异常订单", "问题订单", "有问题", "出问题", "出错"),
}
_CATEGORY: dict[Category, tuple[str, ...]] = {
    Category.PHONE_TOPUP: ("话费", "手机话费", "话费充值", "topup"),
    Category.DATA_PLAN: ("流量", "流量包", "流量充值", "data"),
    Category.GAME_CARD: ("点卡", "游戏", "游戏点卡", "游戏卡", "game"),
    Category.VIDEO_MEMBER: ("视频会员", "影视会员", "视频", "video"),
    Category.MUSIC_MEMBER: ("音乐会员", "音乐", "music"),
    Category.SOFTWARE_KEY: ("软件", "激活码", "软件激活码", "key"),
    Category.GIFT_CARD: ("礼品卡", "gift"),
    Category.OTHER: ("其他", "其它"),
}
_METHOD: dict[PaymentMethod, tuple[str, ...]] = {
    PaymentMethod.ALIPAY: ("支付宝", "花呗", "zfb"),
    PaymentMethod.WECHAT: ("微信", "微信支付", "微信零钱", "wx", "wechatpay"),
    PaymentMethod.QQPAY: ("qq钱包", "qq支付"),
    PaymentMethod.UNIONPAY: ("云闪付", "银联"),
    PaymentMethod.BANK: ("银行卡", "网银", "储蓄卡", "信用卡"),
    PaymentMethod.BALANCE: ("余额", "账户余额", "站内余额"),
    PaymentMethod.USDT: ("泰达币", "u支付"),
}
ENUM_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "status": {
        **{word: tuple(statuses) for statuses, words in _STATUS.items() for word in words},
        **{word.value: (word.value,) for word in OrderStatus},
    },
    "category": {name: (word.value,) for word, names in _CATEGORY.items() for name in (word.value, *names)},
    "payment_method": {name: (word.value,) for word, names in _METHOD.items() for name in (word.value, *names)},
}
"""By field: the words people use and the values they stand for."""

VIEWS = {
    "consumer": ("消费", "消费订单", "购买"),
    "sales": ("销售", "销售订单"),
    "agent": ("代理订单", "代理", "分销"),
}
VIEW_OF = {name: view for view, names in VIEWS.items() for name in (view, *names)}
YES = {"yes", "true", "1", "有", "是"}
NO = {"no", "false", "0", "无", "没有", "否"}
SORT_OF = {
    "placed_at": "placed_at",
    "date": "placed_at",
    "placed": "placed_at",
    "时间": "placed_at",
    "下单时间": "placed_at",
    "paid_at": "paid_at",
    "paid": "paid_at",
    "付款时间": "paid_at",
    "amount": "amount",
    "金额": "amount",
    "metric": "metric",
}
WINDOWS = {
    "今天": "today",
    "今日": "today",
    "昨天": "yesterday",
    "昨日": "yesterday",
    "本月": "month",
    "这个月": "month",
    "上月": "last_month",
    "上个月": "last_month",
    "今年": "year",
}
