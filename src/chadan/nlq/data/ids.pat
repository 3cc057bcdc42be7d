# Identifiers: cues, partial matches, and the shapes that need no cue (§3).
cue_external: (?:微信|支付宝|商户|商家|外部|渠道|上游|网关|第三方|支付|平台|供货商?)(?:交易|支付|订)?(?:单号|(?<=交易)号|单编号|订单编号)|(?:支付宝|微信)?(?:交易单?号|流水单?号|交易流水号?|支付流水号?|支付单号|支付编号)|transaction\s?(?:id|no\.?|number)?|txn\s?id|trade\s?no
cue_order: (?:订|定)单(?:编号|号码?|id|no)|(?<![\u4e00-\u9fff])单号|单号|订单id|order\s?(?:no\.?|number|id|#)(?:\s?is)?
cue_account: (?:充值|游戏|登录|会员|qq|收货)?(?:账号|帐号|账户(?!余额)|帐户|号码)|(?:手机|电话)(?:号码?)?|qq号码?|(?<![a-z])qq(?=\s*(?:是|为|:)?\s*\d)|扣扣号?|企鹅号?|微信号|vx号|wx号|游戏id|角色id|玩家id|uid|邮箱(?:地址)?|e?mail|account(?:\s?(?:no\.?|number|id))?|phone(?:\s?number)?|号(?=[里中]?(?:里?有|包?含|带))
cue_secret: (?:卡密|卡号|激活码|兑换码|序列号|注册码|充值码|cdkey|cdk|密钥)
cue_sep: \s*(?:号|码|编号)?\s*(?:是|为|:|=|#|叫|就是)?\s*[#"“「]?
code: [a-z0-9](?:[a-z0-9_-]*[a-z0-9])?
account_code: [a-z0-9_][a-z0-9_.+-]*@[a-z0-9-]+(?:\.[a-z0-9-]+)+|(?:\+?(?:0?086|0086|86)[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)|[a-z0-9_][a-z0-9_-]*[a-z0-9]
joiner: \s*(?:、|,|和|跟|与|及|或者?|还有|以及|/|;|\s)\s*
given_to: (?:给|替|为|帮|往)\s*(?P<token>{account_code})\s*(?:这?个?号?码?上?里?)?(?:充值?|冲值?|买|交|缴)(?:的|了|过)?
filled_to: (?:充值?|冲)(?:值)?(?:到|至|进|给|入)了?\s*(?P<token>{account_code})
part_value: [a-z0-9][a-z0-9_-]*|[零〇一二两三四五六七八九幺]{2,}
part_link: \s*(?:的)?(?:数字|号码|几?位数?|那?几位)?\s*(?:是|为|:|=|等于)?\s*["“「']?
suffix_cue: 尾号|末尾|尾数|尾巴|末端|(?:最后|末尾?|后|倒数|尾)(?:面)?(?:的)?[一二三四五六七八两\d]{1,2}(?:位|个)(?:数字?|号码?|字)?|结尾(?=\s*(?:是|为|:|\d))|ending\s(?:in|with)|ends\s(?:in|with)
suffix_after: \s*(?:结尾|收尾|做?为?尾号|煞尾|结束)
prefix_cue: (?:最?前面?|开头|头|前)[一二三四五六七两\d]{1,2}(?:位|个)(?:数字?|号码?|字)?|开头(?=\s*(?:是|为|:|\d))|前缀|starting\swith|beginning\swith|starts\swith|begins\swith
prefix_after: \s*(?:开头|打头|起头|领头|号段|字头|开始(?=的(?:号|手机|账|订单号|单号))|起首|做?为?开头)
contains_cue: (?:当中|中间|里面?|里头|中)?\s*(?:包含|包括|含有?|带有?着?|有|出现|是)|containing|contains|with
contains_middle: 中间(?:几?[一二三四五六\d]?位)?(?:是|为|有|含|带)
subject_after: \s*(?:这个|那个)?(?:的)?\s*(?P<subject>{cue_external}|{cue_order}|{cue_account}|号码?(?!段)|尾号)?
mobile: (?<![a-z0-9_*])(?:\+?(?:0?086|0086|86)[\s-]?)?(?P<mobile>1[3-9]\d[ -]?\d{4}[ -]?\d{4})(?![a-z0-9_*])
masked: (?<![a-z0-9_*])(?P<head>\d{1,7})\s?[*x]{2,}\s?(?P<tail>\d{1,6})(?![a-z0-9_*])
email: [a-z0-9_][a-z0-9_.+-]{0,63}@[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,30}){1,4}
run: (?<![a-z0-9_*.@-])[a-z0-9][a-z0-9_-]{5,63}+(?![a-z0-9_*@]|\s?(?:元|块|rmb|cny|yuan))
joined_digits: (?<![a-z0-9_*.-])\d{2,}(?:[ -]\d{2,}){1,8}(?![a-z0-9_*.])
secret_code: [a-z0-9][a-z0-9-]{3,}
by_word: [以用]
is_words: 是|为
subject_link: [的里中 ]
