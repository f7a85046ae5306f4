"""Parameters of links that say how a reader came, never what is read.

A name that some site uses to choose its content ("id", "ref", "source", "p", "cid", "mc") never belongs here: a wrong
entry merges two articles, a missing one only keeps two copies apart. Names are facts, chosen one by one from the
ClearURLs rules (https://rules2.clearurls.xyz/data.minify.json, "globalRules"), Firefox's query-stripping list (remote
settings collection "query-stripping"), Brave's query filter (brave-core, components/query_filter), uBlock Origin's
filters/privacy.txt ("Query parameter stripping") and AdGuard's URL Tracking filter (TrackParamFilter, general_url).
What those strip on named sites only is left out.
"""

from __future__ import annotations

FIRST_PREFIXES = ("utm_", "at_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "vero_")
FIRST_PARAMETERS = frozenset(
    (
        # Entry keys and feed ids are made without these and no others, for ever: what a feed showed is known by them.
        "fbclid", "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "ysclid", "twclid", "ttclid",
        "igshid", "igsh", "li_fat_id", "mc_cid", "mc_eid", "mkt_tok", "oly_anon_id", "oly_enc_id", "rb_clickid",
        "s_cid", "sc_cid", "wickedid", "_hsenc", "_hsmi", "__hssc", "__hstc", "__hsfp", "hsctatracking", "_openstat",
        "ns_campaign", "ns_mchannel", "ns_source", "ns_linkname", "ns_fee", "xtor", "cmpid", "ocid", "guccounter",
        "guce_referrer", "guce_referrer_sig", "ftag", "spm", "_ga", "_gl", "srsltid", "at_medium", "at_campaign",
    )
)  # fmt: skip

TRACKING_PREFIXES = (*FIRST_PREFIXES, "bsft_")
TRACKING_PARAMETERS = FIRST_PARAMETERS | frozenset(
    (
        # clicks, as advertising networks and shops of apps append them
        "ymclid", "ndclid", "unicorn_click_id", "gps_adid", "irclickid", "ir_adid", "ir_campaignid", "ir_partnerid",
        "_branch_match_id", "_branch_referrer", "sms_click", "sms_source", "sms_uph", "cx_click", "cx_recsorder",
        "cx_recswidget", "gad_source", "gad_campaignid", "epik",
        "adjust_creative", "adjust_tracker", "adjust_tracker_limit", "adjust_adgroup", "adjust_campaign",
        # readers of newsletters
        "mc_tc", "ml_subscriber", "ml_subscriber_hash", "vgo_ee", "_kx", "ss_email_id", "et_rid", "bbeml", "_bhlid",
        "ck_subscriber_id", "dm_i", "oft_id", "oft_k", "oft_lk", "oft_d", "oft_c", "oft_ck", "oft_ids", "oft_sk",
        "sc_customer", "sc_eh", "sc_uid",
        # shares on social networks, and campaigns
        "fb_action_ids", "fb_action_types", "fb_comment_id", "fb_ref", "fb_source", "action_object_map",
        "action_ref_map", "action_type_map", "__twitter_impression", "ga_source", "ga_medium", "ga_term", "ga_content",
        "ga_campaign", "ga_place", "os_ehash", "wt_mc", "wt_zmc", "wtrid", "tracking_source", "asgtbndr",
        "itm_campaign", "itm_medium", "itm_source", "hmb_campaign", "hmb_medium", "hmb_source",
        # what an AMP cache tells its viewer (https://developers.google.com/amp/cache/overview)
        "amp_js_v", "amp_gsa",
    )
)  # fmt: skip


def is_tracking(piece: str) -> bool:
    """Whether a piece of a query (``name=value``) says nothing of what is read."""
    name = piece.partition("=")[0].lower()
    return name in TRACKING_PARAMETERS or name.startswith(TRACKING_PREFIXES)


def was_tracking(piece: str) -> bool:
    """The same by the first list alone."""
    name = piece.partition("=")[0].lower()
    return name in FIRST_PARAMETERS or name.startswith(FIRST_PREFIXES)
