"""One sentence of news in each of eleven languages."""

TEXTS = {
    "en": "The council met on Monday to discuss the new bridge over the river and will decide next week.",
    "de": "Der Stadtrat hat am Montag über die neue Brücke beraten und wird nächste Woche entscheiden.",
    "fr": "Le conseil municipal s'est réuni lundi pour discuter du nouveau pont et décidera la semaine prochaine.",
    "es": "El ayuntamiento se reunió el lunes para hablar del nuevo puente y decidirá la próxima semana.",
    "ru": "Городской совет собрался в понедельник, чтобы обсудить новый мост, и примет решение на следующей неделе.",
    "ar": "اجتمع مجلس المدينة يوم الاثنين لمناقشة الجسر الجديد وسيتخذ قراره الأسبوع المقبل",
    "tr": "Belediye meclisi pazartesi günü yeni köprüyü görüşmek üzere toplandı ve gelecek hafta karar verecek.",
    "zh": "市议会周一开会讨论河上的新桥，并将于下周作出决定。",
    "ja": "市議会は月曜日に川に架かる新しい橋について協議し、来週決定する予定です。",
    "fa": "شورای شهر روز دوشنبه برای بررسی پل جدید تشکیل جلسه داد و هفته آینده تصمیم می‌گیرد",
    "uk": "Міська рада зібралася в понеділок, щоб обговорити новий міст, і ухвалить рішення наступного тижня.",
}
