"""Real words that are one or two letters from a word of the planner's.

They are what they say: "glue" is no typing error for "blue", "pot" none for "spot".
"""

from __future__ import annotations

from lam_ros.planning.lexicon import words_in

REAL_WORDS = words_in(
    """
    able about above ache act after age aid aim air ale angle ankle ant ape apple apron arc area
    arms army art ash ask aunt axe baby bad bag bail bait bake bale ball banana band bank bar bare
    bark barn base bat bath bay beach bead beak beam bean bear beard beat because bed bee beef
    been beer before being bell below belt bench bend best bet bike bill bin bird bit bite blame
    blank blast blew bloom blow blues board boat body boil bold bolt bomb bond bone book boot bore born
    boss bottle bow bowel bowels bowler bowls boy brain brake branch brass brave bread break breed
    brick bride bridge brief bright bring broad broke broom brother brow browse brush bucket bug
    bulb bull bun bunch burn bus bush butter button buy cab cable cage cake call calm came camera
    camp can cane canon cap cape car card care carrot cart case cash cast castle cat catch cause
    cave cell cent chain chair chalk change chart check cheese chef cherry chess chest chicken
    chief child chin chip clay clip clock close cloth cloud clove club clue coal coast coat code
    coffee coin cold cook cookie cool cope copy cord cork correct collect corn corner cost couch could cow crab
    crane crate crayon cream crew crib crop cross crow crowd crown cry cubes cue cup cure curl
    curve cute cyan cycle dad dark dart dash date day dead deal dear debt deck deep deer desk dial
    dice did dig dirt dish dive dock doe does dog doll door dose down drain draw dream dress drill
    drink drive drone drum dry duck due dull dump dust duty each ear earth ease east eat edge egg
    else end even ever exam eye face fact fail fair fall fame fan far farm fast fate fear feed
    feel feet fell fern few field fig file film fine fire fish five flag flat floor flour flower
    fly foam fog folk food fool foot force fork form fort found fox frame free frog fruit fuel
    full fun fur game gap gas gate gear gel giant gift girl glad glass glove glow glue goal goat
    gone gong goose grab grain grand grape graph grass grave great greed greek green greet grew
    grid grill grip groan grow guess guest guide gun guy had hair half hall ham hammer has hat he
    head hear heart heat heavy heel hello help hen hence her here hero hers hill him his hook hope
    horn horse hose hot hour house how hug huge hut ice idea if ink iron jam jar jaw jet job
    joke joy juice jump key kid kind king kite knee knife knot know lace lady lake lamb lamp land
    lane lap large laser late law lawn lead leaf lean leap learn leg lemon lens less let letter
    level lid lie life like limb line link lion lip liquid live lock log long look lord lose loss
    lot loud love low luck lump lunch lung mad mail main male mall man many map march mask mass
    mast match mate math may meal mean meat melon melt men mess mice might mile milk mind mine
    mint miss mix mode mom moon more most moth mouse mouth move moved moves movie much mud mug
    mule nail name near degree neat neck need nest net news nice night noise noodle nose note now nut oak
    oar oat oil old olive onion orangutan ours oven owl own pack page paid pain paint pair pale
    palm pan panda paper park part pass past paste path pause paw pay pea peace peach pear pearl
    pen pencil people pepper person pet phone photo piano pie pig pill pillow pin pine ping pinky
    pint pipe pit pizza placed places plain plan plane plant plug plum plus poem pole pond pong
    pony pool poor pop port pose post pot potato pour press price pride prime print prize pull
    pump pure purse push puts quick quiet quite rabbit race rack radio rail rain ramp ran rare rat
    rate raw ray razor reach read real rear red reed reel rent rice rich ride rides ring rise risk
    river road roar robe rock rod role roll roof room root rope rose round row rug rule run rush
    sad safe sail salad sale salt same sand sauce save saw scab scale scar scarf scene school
    scissors scope score screw sea seal seat seed seem sell send set several shade shape share
    shark sharp she sheep sheet shelf shell ship shirt shoe shop shore short shot should shoulder
    shower shut sick sign silk since sing sink sister size skin skirt sky slab sleep slice slide
    slip slot slow smack snake snow soap sock soda sofa soft soil some son song soon sore sort soul soup
    sour spade spare spark spear speed spell spend spice spider spike spill spin spit spoon sport
    spots spray spring squeeze stab stain stair stamp stand star start state station stay steak
    steal steam steel stem step stew stick still sting stir stone stool stop store storm story
    stove stow straw stray street string strip strong such sugar suit sun swan swap sweet swim
    sword syrup tail tale tape task taste tax taxi tea teach team tear teeth tell ten tent term
    test text than theirs then they thick thin thing think thorn thread three throat throne
    through thumb thus ticket tide tie tile time tin tip tire toast toe tomato tone tongue tool
    tooth top torch tour towel tower town toy trace track trade trail train trap trash tray trays
    tree trial trick trip truck true trunk trust truth try tub tube tune turkey twin type ultra
    under unit unless until upon urge us use van vase vent vest view wait wake walk wall want warm
    was wash watch water wave wax way we wear week well went were west wet whale what wheel when
    where whether while who whole whom whose why wide wife wig wild win wind wine wing wire wise
    wish wolf woman wood wool word work world worm would wrap wrist yard yarn year yell yes yet
    dolor dollar stacked piled stacker loose
    yolk you young your yours zebra zip zone
    """
)
