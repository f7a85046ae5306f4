"""Lines that stand in a text but are not of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.enrich.noise import is_noise


@pytest.mark.parametrize(
    "line",
    [
        "Advertisment", "Read more:", "Publicité", "À lire aussi :", "PUBLICIDAD", "Continua após a publicidade",
        "LEGGI ANCHE", "Lees ook:", "Czytaj też", "Läs också", "Читайте также:", "Читайте також:", "İLAN", "اقرأ أيضا",
        "بیشتر بخوانید", "関連記事", "相关阅读", "___", "* * *",
    ],
)  # fmt: skip
def test_a_known_line_in_any_language_of_the_feeds(line: str) -> None:
    assert is_noise(line)


@pytest.mark.parametrize(
    "line",
    [
        "Read more: The bridge will be built after all",
        "READ MORE | The bridge will be built",
        "Related: What the bridge costs",
        "[Related: What the bridge costs]",
        "Lesen Sie auch: Die Brücke wird gebaut",
        "Lire aussi : Le pont sera construit",
        "Lee también: El puente",
        "Leia também: A ponte",
        "(Leggi anche: Il ponte – FOTO)",
        "Читайте также: Мост построят",
        "اقرأ أيضا: الجسر",
        "関連記事：橋の費用",
    ],
)
def test_a_pointer_to_another_article(line: str) -> None:
    assert is_noise(line)


@pytest.mark.parametrize(
    "line",
    [
        "Sign up for our daily newsletter and never miss a thing.",
        "Get the latest updates right in your inbox. Subscribe to our newsletters.",
        "Join our WhatsApp channel for more.",
        "Follow us on Facebook, Twitter and Instagram.",
        "Follow her on Twitter.",
        "Jetzt abonnieren: unser Newsletter am Morgen",
        "Inscrivez-vous à notre newsletter du matin.",
        "Suscríbete a nuestro boletín diario.",
        "Подписывайтесь на наш Telegram-канал.",
        "Підписуйтесь на наш Telegram.",
        "اشترك في نشرتنا الإخبارية اليومية",
        "We use cookies to improve your visit.",
        "Wir verwenden Cookies, um unsere Seite zu verbessern.",
        "Nous utilisons des cookies.",
        "CLICK HERE TO GET THE NEWS APP",
    ],
)
def test_a_form_or_a_banner(line: str) -> None:
    assert is_noise(line)


@pytest.mark.parametrize(
    "line",
    [
        "© 2024 AFP", "Copyright 2024 The Example. All rights reserved.", "All rights reserved.",
        "Alle Rechte vorbehalten", "Все права защищены", "版权所有", "5 min read", "Tempo de leitura: 2 minutos",
        "Published 18 November 2019", "Filed under: Bridges |", "jane.doe@example.org",
    ],
)  # fmt: skip
def test_a_notice_about_the_page(line: str) -> None:
    assert is_noise(line)


@pytest.mark.parametrize(
    "line",
    [
        "Read more about it in the report of the commission.",
        "Also: the mayor said no.",
        "Sign up fees will rise next year.",
        "Follow the money, he said.",
        "Join the army, they said, and see the world.",
        "Copyright law must change.",
        "Cookies are baked at 180 degrees.",
        "We use flour and butter.",
        "Подписан закон о рассылке повесток.",
        "Sigue la guerra: el ataque, según Telegram, fue ayer.",
        "Published accounts of the war differ.",
        "Updated figures are due on Monday.",
        "THE BRIDGE WILL BE BUILT",
        "SOURCE: The Example",
        "Reporting by Jane Doe; editing by John Doe",
        "first line\nAdvertisement",
        "42",
    ],
)
def test_text_that_starts_like_one_stays(line: str) -> None:
    assert not is_noise(line)


@given(st.text(max_size=400))
def test_no_text_raises_and_what_is_long_is_text(text: str) -> None:
    assert not (is_noise(text) and len(text) > 300)
