# Products and what surrounds them, payment phrases (§9–10).
kept_whole: ^[a-z].*[\u4e00-\u9fff]|卡$|[0-9]|[零一二三四五六七八九十百千年月日周天点号春夏秋冬早晚今昨明]
stop_alias: {noise_word}|{relative_day}|{bare_part}|{st_pending}|{st_paid}|{st_waiting}|{st_processing}|{st_completed}|{st_arrived}|{st_cancelled}|{st_after_sale}|{st_refunded}|{st_failed}|{st_trouble}
data_size: (?<![0-9a-z.])(?P<size>\d{1,5})\s?(?P<unit>gb?|mb?|tb?)(?![a-z0-9])|(?P<cn_size>[一二两三四五六七八九十百]{1,4})(?:个)?(?P<cn_unit>gb?)(?![a-z0-9])
foreign: (?:\$|usd|us\$)\s?(?P<d1>\d{1,6}(?:\.\d{1,2})?)|(?P<d2>\d{1,6}(?:\.\d{1,2})?|[一二两三四五六七八九十百千]{1,5})\s?(?:美元|美金|美刀|刀(?:乐)?(?![片具])|\$|usd|dollars?)
pay_before: (?:用的?|走的?|拿|通过|刷的?|使用|以|经|靠|借助|采用|选择|选|经由|via|by|using|with)\s*$
pay_after: \s*(?:扫码|转账|在线|app)?(?:来)?(?:付款|支付|付账|结账|结算|付掉|付钱|转账|买单|付(?!费)|渠道|方式)?(?:的(?=[单订])|了)?
not_payment: (?:群|好友|公众号|号|单号|朋友圈|视频号|昵称|名)
member_gap: [\ue00c \ue008]*的?
platform_tail: (?:平台|渠道|小店|小铺|网?店铺?|商城|那边|上面|端|来源)(?![\u4e00-\u9fff]{0,1}[最])
coordination: (?:的|订单|单)?\s*(?:和|或者?|、|/|跟|还有|与|以及|及|或是|and|or)\s*
kept_card: .(?<![年季月周日天])卡$
clock_card: [\d一二三四五六七八九十]点[卡券]$
function_character: [的了和与或及在是没未不有个这那把被就都只还也单旬月日年周号元块]
never_repaired: 花费|为止|截止
numerals: [零一二两三四五六七八九十百千万几多\d]+
