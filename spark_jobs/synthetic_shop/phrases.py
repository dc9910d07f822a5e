"""The texts that people write, in Chinese and English, by writer."""

OPENING = {
    "en": {
        "delivery": (
            "Where is my parcel? It should have been here by now.",
            "The courier says delivered, but nothing came.",
        ),
        "refund": ("I sent it back two weeks ago and still have no refund.", "The refund is less than what I paid."),
        "quality": ("The {item} stopped working on the second day.", "A part of the {item} is missing."),
        "presale": ("Is the {item} in stock?", "Will the {item} be cheaper this week?"),
        "account": ("I cannot log in any more.", "I need an invoice for my last order."),
    },
    "zh": {
        "delivery": ("我的快递怎么还没到？", "物流显示已签收，可是我没收到。"),
        "refund": ("退货寄回两周了，退款还没到账。", "退款金额不对，少退了。"),
        "quality": ("{item}用了两天就坏了。", "{item}少了一个配件。"),
        "presale": ("请问{item}有货吗？", "{item}这周有优惠吗？"),
        "account": ("我登录不上了。", "上一单需要开发票。"),
    },
}
FOLLOW_UP = {
    "en": ("Any news?", "Here is the order number again.", "Thank you, and how long will that take?",
           "That did not help.", "I have attached a photo."),
    "zh": ("有消息了吗？", "订单号我再发一遍。", "好的，大概要多久？", "还是不行。", "照片已经发过去了。"),
}  # fmt: skip
STILL_WAITING = {
    "en": ("Is anybody there?", "I am still waiting for an answer.", "Nobody has replied to me yet."),
    "zh": ("有人吗？", "我还在等回复。", "一直没有人理我。"),
}
ANSWER = {
    "en": ("Thank you for waiting, I am looking into it.", "I have passed this on and will come back to you.",
           "Could you send me the order number?", "This is settled now, you will get a confirmation."),
    "zh": ("亲，久等了，我马上帮您查。", "已经为您登记，会尽快回复您。", "麻烦您提供一下订单号。",
           "已经处理好了，请您留意通知。"),
}  # fmt: skip
BOT = {
    "en": ("Hello! A colleague will be with you shortly.", "Our usual delivery time is 2 to 4 days."),
    "zh": ("您好，正在为您转接人工客服。", "一般 2 到 4 天送达，请耐心等待。"),
}
NOTE = {
    "en": ("Checked with the warehouse.", "Customer wrote before about this."),
    "zh": ("已与仓库核实。", "客户之前反馈过同样问题。"),
}
COMING_BACK = {
    "en": ("It is not solved after all.", "Same problem again."),
    "zh": ("问题还是没有解决。", "又出现同样的问题了。"),
}
COMPLAINT = {
    "en": ("I want to complain about how this was handled.", "Nobody feels responsible here."),
    "zh": ("我要投诉，处理得太慢了。", "没有人负责，太失望了。"),
}
REMARK = {
    "en": {
        True: ("Too slow.", "Not solved.", "I had to ask three times."),
        False: ("Quick and friendly.", "All good."),
    },
    "zh": {True: ("太慢了。", "没解决。", "问了三次才有人回。"), False: ("服务很好，很快。", "满意。")},
}
