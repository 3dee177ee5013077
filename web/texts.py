"""The words of the page in three languages, by key; a browser shows those of its own language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "about": (
        "Synthetic dermoscopic images from diffusion models. **Research only; never a diagnosis.** What you upload and "
        "generate is shown to you alone and deleted an hour after you last used the page.",
        "Синтетические дерматоскопические изображения на основе диффузионных моделей. **Только для исследований; не "
        "является диагнозом.** Загруженное и созданное видите только вы; через час после последнего действия оно "
        "удаляется.",
        "由扩散模型生成的合成皮肤镜图像。**仅供研究，绝非诊断。** "
        "您上传和生成的内容只有您能看到，并在您最后一次使用本页一小时后删除。",
    ),
    "class": ("Class", "Класс", "类别"),
    "count": ("Images", "Изображений", "图像数量"),
    "seed": ("Seed", "Зерно", "随机种子"),
    "sampler": ("Sampler", "Сэмплер", "采样器"),
    "steps": ("Steps (0: the usual number)", "Шаги (0: обычное число)", "步数（0：默认步数）"),
    "guidance": ("Guidance (0: the model's own)", "Guidance (0: как у модели)", "引导强度（0：模型默认值）"),
    "from_noise": ("From noise", "Из шума", "从噪声生成"),
    "variation": ("Variations", "Вариации", "图像变体"),
    "inside": ("Inside a mask", "Внутри маски", "蒙版内重绘"),
    "between": ("Between two images", "Между двумя изображениями", "两图之间"),
    "generate": ("Generate", "Сгенерировать", "生成"),
    "stop": ("Stop", "Остановить", "停止"),
    "image": ("Image", "Изображение", "图像"),
    "strength": ("Strength", "Сила", "强度"),
    "strength_hint": (
        "0.25 changes details; at 1 nothing of the image is left.",
        "0,25 меняет детали; при 1 от изображения ничего не остаётся.",
        "0.25 仅改变细节；为 1 时完全不保留原图。",
    ),
    "draw": (
        "Image: upload it, then paint over what is to be generated anew",
        "Изображение: загрузите его и закрасьте то, что нужно создать заново",
        "图像：上传后涂抹需要重新生成的区域",
    ),
    "mask": ("Or a mask file of the same size", "Или файл маски того же размера", "或相同大小的蒙版文件"),
    "between_hint": (
        "Generate two images first; the way leads from the first to the last of them.",
        "Сначала создайте два изображения; путь ведёт от первого к последнему.",
        "请先生成两幅图像；过渡将从第一幅到最后一幅。",
    ),
    "preview": ("In the making", "Создаётся", "生成过程"),
    "result": ("Your images", "Ваши изображения", "您的图像"),
    "recipe": ("Recipe", "Рецепт", "生成配方"),
    "explain": ("Explain", "Объяснить", "解释"),
    "map": ("Attribution map", "Карта атрибуции", "归因图"),
    "check": ("Reliability check", "Проверка надёжности", "可靠性检查"),
    "reproduce": ("Reproduce", "Воспроизвести", "复现"),
    "download": ("Download all, with recipes", "Скачать всё, с рецептами", "全部下载（含配方）"),
}
"""English, Russian, Chinese."""

LANGUAGES: Final = ("en", "ru", "zh")


def by_language() -> dict[str, dict[str, str]]:
    """Return the words of each language by key; Chinese for browsers that ask for it by region as well."""
    found = {code: {key: words[place] for key, words in TEXTS.items()} for place, code in enumerate(LANGUAGES)}
    return {**found, "zh-CN": found["zh"]}
