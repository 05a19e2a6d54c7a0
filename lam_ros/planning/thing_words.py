"""Words for things, as tables: kinds, colours, categories, living beings, parts.

A word may stand for several kinds or colours, the likeliest first ("box" is a box if there is
one, else a cube).  A category stands for all of its kinds at once ("fruit").
"""

from __future__ import annotations

from lam_ros.planning.lexicon import words_in

KIND_WORDS: dict[str, tuple[str, ...]] = {
    "cube": ("cube", "block"),
    "block": ("block", "cube"),
    "box": ("box", "cube"),
    "brick": ("brick", "block", "cube"),
    "die": ("die", "dice", "cube"),
    "bowl": ("bowl",),
    "dish": ("dish", "bowl", "plate", "tray"),
    "basin": ("basin", "bowl"),
    "container": ("container", "bowl", "box", "basket", "bin", "tray", "cup", "mug"),
    "receptacle": ("receptacle", "bowl", "box", "basket", "bin", "tray"),
    "spot": ("spot", "region", "mat"),
    "circle": ("circle", "spot"),
    "disc": ("disc", "disk", "spot"),
    "disk": ("disk", "disc", "spot"),
    "marker": ("marker", "spot"),
    "mark": ("mark", "marker", "spot"),
    "dot": ("dot", "spot"),
    "mat": ("mat", "spot"),
    "patch": ("patch", "spot"),
    "pad": ("pad", "mat", "spot"),
    "target": ("target", "spot"),
    "zone": ("zone", "region", "spot"),
    "area": ("area", "region", "spot"),
    "region": ("region", "spot"),
    "square": ("square", "region", "spot", "mat"),
    "tray": ("tray",),
    "platter": ("platter", "tray", "plate"),
    "plate": ("plate", "tray"),
    "basket": ("basket", "bin"),
    "bin": ("bin", "dustbin", "garbage_can", "trash_can", "trashcan", "basket", "box"),
    "ball": ("ball", "sphere"),
    "sphere": ("sphere", "ball"),
    "cylinder": ("cylinder", "can"),
    "prism": ("prism",),
    "drawer": ("drawer",),
    "layer": ("layer", "level", "drawer", "shelf", "compartment"),
    "level": ("level", "layer", "drawer", "shelf"),
    "tier": ("tier", "level", "layer", "drawer", "shelf"),
    "cup": ("cup", "mug"),
    "mug": ("mug", "cup"),
    "table": ("table",),
    "tabletop": ("table",),
    "desk": ("desk", "table"),
    "counter": ("counter", "table"),
    "cabinet": ("cabinet", "cupboard", "slider", "shelf"),
    "cupboard": ("cupboard", "cabinet"),
    "slider": ("slider", "sliding", "door", "cabinet", "shelf"),
    "door": ("door", "sliding_door", "slider", "sliding_cabinet", "sliding"),
    "shelf": ("shelf", "rack", "slider", "sliding", "cabinet"),
    "rack": ("rack", "shelf", "stand"),
    "compartment": ("compartment", "section", "region"),
    "section": ("section", "compartment"),
    "caddy": ("caddy", "organizer", "organiser"),
    "stove": ("stove", "hob", "cooktop", "burner", "cooker"),
    "hob": ("hob", "stove"),
    "burner": ("burner", "stove", "hob"),
    "cooktop": ("cooktop", "stove"),
    "oven": ("oven",),
    "microwave": ("microwave",),
    "fridge": ("fridge", "refrigerator"),
    "refrigerator": ("refrigerator", "fridge"),
    "pan": ("pan", "frypan", "skillet"),
    "frypan": ("frypan", "pan", "skillet"),
    "skillet": ("skillet", "frypan", "pan"),
    "pot": ("pot", "saucepan"),
    "lamp": ("lamp", "light", "lightbulb", "bulb", "led"),
    "light": ("light", "lamp", "lightbulb", "bulb", "led"),
    "lightbulb": ("lightbulb", "bulb", "lamp", "light"),
    "bulb": ("bulb", "lightbulb", "lamp", "light"),
    "led": ("led",),
    "switch": ("switch", "lever"),
    "lever": ("lever", "switch"),
    "button": ("button",),
    "knob": ("knob", "dial"),
    "handle": ("handle", "knob", "slider", "sliding_cabinet", "sliding_door", "door", "drawer"),
    "holder": ("holder", "rack", "stand"),
    "ring": ("ring", "disk"),
    "stand": ("stand", "rack"),
    "bottle": ("bottle",),
    "can": ("can", "tin"),
    "book": ("book",),
    "sofa": ("sofa", "couch", "settee"),
    "couch": ("couch", "sofa"),
    "settee": ("settee", "sofa", "couch"),
    "chair": ("chair", "armchair", "seat"),
    "armchair": ("armchair", "chair"),
    "seat": ("seat", "chair"),
    "bed": ("bed",),
    "pillow": ("pillow", "cushion"),
    "cushion": ("cushion", "pillow"),
    "sink": ("sink", "sink_basin", "washbasin", "basin"),
    "washbasin": ("washbasin", "sink", "basin"),
    "faucet": ("faucet", "tap"),
    "tap": ("tap", "faucet"),
    "trash": ("trash", "rubbish", "garbage", "waste", "litter"),
    "rubbish": ("rubbish", "trash", "garbage", "waste", "litter"),
    "garbage": ("garbage", "rubbish", "trash", "waste", "litter"),
    "litter": ("litter", "rubbish", "trash", "garbage", "waste"),
    "dustbin": ("dustbin", "garbage_can", "trash_can", "trashcan", "rubbish_bin", "bin"),
    "wastebasket": ("wastebasket", "waste_basket", "bin", "garbage_can", "trash_can", "basket"),
    "cooker": ("cooker", "stove", "hob", "cooktop", "oven"),
    "hotplate": ("hotplate", "burner", "stove"),
    "saucepan": ("saucepan", "pot", "pan"),
    "kettle": ("kettle", "teapot", "pot"),
    "teapot": ("teapot", "kettle", "pot"),
    "glass": ("glass", "cup", "tumbler"),
    "tumbler": ("tumbler", "glass", "cup"),
    "carton": ("carton", "box"),
    "crate": ("crate", "box", "bin"),
    "chest": ("chest", "box"),
    "package": ("package", "packet", "parcel", "box"),
    "packet": ("packet", "package", "box"),
    "parcel": ("parcel", "package", "box"),
    "jar": ("jar",),
    "tin": ("tin", "can"),
    "pitcher": ("pitcher", "jug"),
    "jug": ("jug", "pitcher"),
    "bucket": ("bucket", "pail"),
    "pail": ("pail", "bucket"),
    "laptop": ("laptop", "notebook", "computer"),
    "computer": ("computer", "laptop"),
    "television": ("television", "tv"),
    "tv": ("tv", "television"),
    "phone": ("phone", "cellphone", "cell_phone", "telephone", "smartphone"),
    "telephone": ("telephone", "phone"),
    "cellphone": ("cellphone", "cell_phone", "phone"),
    "smartphone": ("smartphone", "cell_phone", "phone"),
    "remote": ("remote", "remote_control"),
    "worktop": ("worktop", "counter", "table"),
    "countertop": ("countertop", "counter", "table"),
    "bench": ("bench", "table"),
    "closet": ("closet", "wardrobe", "cabinet", "cupboard"),
    "wardrobe": ("wardrobe", "closet", "cabinet", "cupboard"),
    "bookshelf": ("bookshelf", "bookcase", "shelf"),
    "bookcase": ("bookcase", "bookshelf", "shelf"),
    "lid": ("lid", "cover", "cap"),
    "pallet": ("pallet", "tray"),
    "saucer": ("saucer", "plate"),
    "peg": ("peg", "rod", "stick"),
    "rod": ("rod", "peg", "stick"),
    "stick": ("stick", "rod", "peg"),
    "hoop": ("hoop", "ring"),
    "star": ("star",),
    "moon": ("moon", "crescent"),
    "crescent": ("crescent", "moon"),
    "heart": ("heart",),
    "triangle": ("triangle", "prism"),
    "pyramid": ("pyramid", "cone", "prism"),
    "stack": ("stack", "pile"),
    "pile": ("pile", "stack"),
    "tower": ("tower", "stack"),
}
"""Word in the singular -> kinds that it may stand for, the likeliest first."""

COLOR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red",),
    "green": ("green",),
    "blue": ("blue",),
    "yellow": ("yellow",),
    "orange": ("orange",),
    "purple": ("purple",),
    "pink": ("pink",),
    "cyan": ("cyan",),
    "brown": ("brown",),
    "white": ("white",),
    "black": ("black",),
    "gold": ("gold",),
    "silver": ("silver",),
    "grey": ("grey", "gray"),
    "gray": ("gray", "grey"),
    "violet": ("violet", "purple"),
    "lilac": ("lilac", "purple"),
    "magenta": ("magenta", "pink", "purple"),
    "crimson": ("crimson", "red"),
    "scarlet": ("scarlet", "red"),
    "reddish": ("red",),
    "bluish": ("blue",),
    "greenish": ("green",),
    "navy": ("navy", "blue"),
    "turquoise": ("turquoise", "cyan"),
    "teal": ("teal", "cyan"),
    "aqua": ("aqua", "cyan"),
    "lime": ("lime", "green"),
    "golden": ("gold", "yellow"),
    "tan": ("tan", "brown"),
    "beige": ("beige", "tan"),
    "maroon": ("maroon", "red", "brown"),
    "azure": ("azure", "blue", "cyan"),
    "olive": ("olive", "green"),
    "rose": ("rose", "pink"),
    "indigo": ("indigo", "blue", "purple"),
    "amber": ("amber", "orange", "yellow"),
    "yellowish": ("yellow",),
    "pinkish": ("pink",),
}  # fmt: skip
"""Word -> colours that it may stand for, the likeliest first."""

PERSON_WORDS = words_in(
    """
    me him her them myself himself herself yourself person people human humans man men woman women
    child children kid kids boy girl baby guy someone somebody anyone anybody everyone user
    operator neighbour neighbor face head hand hands finger fingers eye eyes mouth nose ear ears
    foot feet toe toes leg legs arm lap knee neck throat stomach chest skin body cat dog pet
    animal
    """
)
"""Words for living beings and parts of them."""

CATEGORIES: dict[str, frozenset[str]] = {
    "fruit": words_in("""apple banana orange pear lemon lime peach plum grape grapes strawberry
        cherry mango melon kiwi pineapple apricot avocado"""),
    "vegetable": words_in("""tomato potato carrot lettuce cucumber onion broccoli cabbage corn
        eggplant pepper pumpkin celery garlic mushroom pea peas radish spinach zucchini"""),
    "cutlery": words_in("""knife fork spoon spatula ladle butterknife chopstick chopsticks whisk
        peeler tongs teaspoon"""),
    "crockery": words_in("bowl plate cup mug saucer dish glass ramekin teapot"),
    "food": words_in("""apple banana orange pear lemon lime peach plum grape grapes strawberry cherry
        mango melon kiwi pineapple apricot avocado tomato potato carrot lettuce cucumber onion
        broccoli cabbage corn eggplant pepper pumpkin celery garlic mushroom bread toast cheese
        butter soup sauce pudding dressing ketchup mustard egg eggs rice pasta meat steak chicken
        fish sausage ham bacon cookie cookies cake biscuit cereal chocolate crackers cracker salad
        sandwich pizza donut doughnut yogurt jam honey sugar candy popcorn cheez spam tuna"""),
    "drink": words_in("milk juice water wine beer coffee tea soda cola lemonade"),
    "condiment": words_in("""sauce ketchup mustard mayonnaise dressing salt pepper vinegar relish
        butter jam"""),
    "tool": words_in("""hammer screwdriver wrench pliers drill saw scissors tape ruler clamp
        screw bolt spanner"""),
    "shape": words_in("""moon star heart pentagon hexagon circle triangle square cross cube
        block ball cylinder prism cone pyramid diamond letter"""),
}
"""Word -> heads of the kinds that it stands for, all of them at once."""

CATEGORIES["silverware"] = CATEGORIES["utensil"] = CATEGORIES["flatware"] = CATEGORIES["cutlery"]
CATEGORIES["veggie"], CATEGORIES["beverage"] = CATEGORIES["vegetable"], CATEGORIES["drink"]
CATEGORIES["grocery"] = CATEGORIES["foodstuff"] = CATEGORIES["food"] | CATEGORIES["drink"]
CATEGORIES["tableware"] = CATEGORIES["dinnerware"] = CATEGORIES["cutlery"] | CATEGORIES["crockery"]

MASSES = frozenset({"fruit", "food", "cutlery", "silverware", "flatware", "crockery", "tableware",
                    "dinnerware"})  # fmt: skip
"""Categories whose singular means all of it."""

LEVELS = frozenset({"drawer", "layer", "level", "shelf"})
"""Words for one of the parts of furniture that lie over each other."""

HYPERNYMS = frozenset({"light", "lamp", "container", "receptacle"})
"""Words that stand for all of their kinds at once rather than for the likeliest."""

DOORED: dict[str, frozenset[str]] = {
    "door": words_in("""microwave fridge refrigerator oven cabinet cupboard dishwasher safe closet
        wardrobe freezer washer"""),
    "lid": words_in("laptop box bin pot jar chest toilet piano suitcase"),
}
"""Word for a part -> heads of what has one, where no such part is a thing of its own."""

MEASURES = words_in("slice piece loaf bunch bit pack serving")
"""Words for how much of something, as in `a slice of bread`."""

WRAPPINGS = words_in(
    """
    box carton bottle can jar package packet bag tin tube bar stick container pot block toy object
    """
)
"""Words that say how a thing comes, and may be missing in its name: `the cream cheese box`."""

COMPOUNDS: dict[str, str] = {
    "light bulb": "lightbulb", "frying pan": "pan", "fry pan": "pan", "sliding cabinet": "slider",
    "sliding door": "slider", "cook top": "cooktop", "table top": "tabletop",
    "light switch": "switch", "led light": "led", "led lamp": "led", "drawer handle": "drawer",
    "door handle": "door", "cabinet handle": "cabinet", "cabinet door": "cabinet",
    "microwave door": "microwave", "fridge door": "fridge", "oven door": "oven",
    "slider handle": "slider", "moka pot": "moka", "trash can": "dustbin", "garbage can": "dustbin",
    "rubbish bin": "dustbin", "garbage bin": "dustbin", "trash bin": "dustbin", "waste bin": "dustbin",
    "waste basket": "wastebasket", "cell phone": "cellphone", "mobile phone": "cellphone",
    "remote control": "remote", "sink basin": "sink", "book shelf": "bookshelf",
    "counter top": "countertop", "work top": "worktop", "hot plate": "hotplate",
}  # fmt: skip
"""Two words for one kind."""

MATERIAL_COLORS = {"porcelain": "white", "ivory": "white", "snow": "white"}
"""Materials that have a colour of their own."""

PARTS = frozenset(
    {"handle", "knob", "dial", "front", "edge", "rim", "inside", "surface", "interior", "top"}
)
"""Words for parts that nothing is done to apart from the whole."""
