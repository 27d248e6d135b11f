package weburl

import (
	"strings"
	"unicode/utf8"
)

// compatible writes characters that Unicode takes for another form of ASCII
// letters, digits and dots as these: full-width, mathematical and circled ones,
// and those of lookAlikes.
func compatible(text string) string {
	if isASCII(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if ascii, ok := lookAlikes[r]; ok {
			b.WriteString(ascii)
			continue
		}
		for _, row := range compatibleRows {
			if n := len(row.ascii); r >= row.from && r <= row.to {
				r = rune(row.ascii[int(r-row.from)%n])
				break
			}
		}
		b.WriteRune(r)
	}
	return b.String()
}

// compatibleRows are ranges of characters that repeat a row of ASCII.
var compatibleRows = [...]struct {
	from, to rune
	ascii    string
}{
	{0xFF01, 0xFF5E, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"},
	{0x1D400, 0x1D6A3, letters},
	{0x24B6, 0x24E9, letters},
	{0x1F130, 0x1F149, letters},
	{0x1D7CE, 0x1D7FF, digits},
	{0x2080, 0x2089, digits},
	{0x1FBF0, 0x1FBF9, digits},
	{0x2460, 0x2468, digits[1:]},
}

// lookAlikes are the other characters whose form NFKC, in lower case, is ASCII;
// and the ideographic full stops, which end a label of a host as a dot does.
var lookAlikes = func() map[rune]string {
	m := map[rune]string{}
	for item := range strings.FieldsSeq(`
。. ｡. ªa ²2 ³3 ¹1 ºo ßss Ĳij ĳij ſs Ǉlj ǈlj ǉlj Ǌnj ǋnj ǌnj Ǳdz ǲdz ǳdz ʰh
ʲj ʳr ʷw ʸy ˡl ˢs ˣx ᴬa ᴮb ᴰd ᴱe ᴳg ᴴh ᴵi ᴶj ᴷk ᴸl ᴹm ᴺn ᴼo ᴾp ᴿr ᵀt ᵁu ᵂw
ᵃa ᵇb ᵈd ᵉe ᵍg ᵏk ᵐm ᵒo ᵖp ᵗt ᵘu ᵛv ᵢi ᵣr ᵤu ᵥv ᶜc ᶠf ᶻz ẞss ․. ‥.. …...
⁰0 ⁱi ⁴4 ⁵5 ⁶6 ⁷7 ⁸8 ⁹9 ⁿn ₐa ₑe ₒo ₓx ₕh ₖk ₗl ₘm ₙn ₚp ₛs ₜt ₨rs ℀a/c
℁a/s ℂc ℅c/o ℆c/u ℊg ℋh ℌh ℍh ℎh ℐi ℑi ℒl ℓl ℕn №no ℙp ℚq ℛr ℜr ℝr ℠sm
℡tel ™tm ℤz ℨz Kk ℬb ℭc ℯe ℰe ℱf ℳm ℴo ℹi ℻fax ⅅd ⅆd ⅇe ⅈi ⅉj Ⅰi Ⅱii Ⅲiii
Ⅳiv Ⅴv Ⅵvi Ⅶvii Ⅷviii Ⅸix Ⅹx Ⅺxi Ⅻxii Ⅼl Ⅽc Ⅾd Ⅿm ⅰi ⅱii ⅲiii ⅳiv ⅴv ⅵvi
ⅶvii ⅷviii ⅸix ⅹx ⅺxi ⅻxii ⅼl ⅽc ⅾd ⅿm ⑩10 ⑪11 ⑫12 ⑬13 ⑭14 ⑮15 ⑯16 ⑰17 ⑱18
⑲19 ⑳20 ⒈1. ⒉2. ⒊3. ⒋4. ⒌5. ⒍6. ⒎7. ⒏8. ⒐9. ⒑10. ⒒11. ⒓12. ⒔13. ⒕14. ⒖15.
⒗16. ⒘17. ⒙18. ⒚19. ⒛20. ⓪0 ⱼj ⱽv ㉐pte ㉑21 ㉒22 ㉓23 ㉔24 ㉕25 ㉖26 ㉗27 ㉘28 ㉙29
㉚30 ㉛31 ㉜32 ㉝33 ㉞34 ㉟35 ㊱36 ㊲37 ㊳38 ㊴39 ㊵40 ㊶41 ㊷42 ㊸43 ㊹44 ㊺45 ㊻46 ㊼47
㊽48 ㊾49 ㊿50 ㋌hg ㋍erg ㋎ev ㋏ltd ㍱hpa ㍲da ㍳au ㍴bar ㍵ov ㍶pc ㍷dm ㍸dm2 ㍹dm3 ㍺iu
㎀pa ㎁na ㎃ma ㎄ka ㎅kb ㎆mb ㎇gb ㎈cal ㎉kcal ㎊pf ㎋nf ㎎mg ㎏kg ㎐hz ㎑khz ㎒mhz ㎓ghz
㎔thz ㎖ml ㎗dl ㎘kl ㎙fm ㎚nm ㎜mm ㎝cm ㎞km ㎟mm2 ㎠cm2 ㎡m2 ㎢km2 ㎣mm3 ㎤cm3 ㎥m3 ㎦km3
㎩pa ㎪kpa ㎫mpa ㎬gpa ㎭rad ㎰ps ㎱ns ㎳ms ㎴pv ㎵nv ㎷mv ㎸kv ㎹mv ㎺pw ㎻nw ㎽mw ㎾kw
㎿mw ㏂a.m. ㏃bq ㏄cc ㏅cd ㏇co. ㏈db ㏉gy ㏊ha ㏋hp ㏌in ㏍kk ㏎km ㏏kt ㏐lm ㏑ln ㏒log
㏓lx ㏔mb ㏕mil ㏖mol ㏗ph ㏘p.m. ㏙ppm ㏚pr ㏛sr ㏜sv ㏝wb ㏿gal ꟲc ꟳf ꟴq ﬀff ﬁfi ﬂfl
ﬃffi ﬄffl ﬅst ﬆst ︓: ︙... ︰.. ﹒. ﹕: ﹣- ﹫@ 𐞥q 🄀0. 🄫c 🄬r 🄭cd 🄮wz 🅊hv 🅋mv 🅌sd
🅍ss 🅎ppv 🅏wc 🅪mc 🅫md 🅬mr 🆐dj
`) {
		r, size := utf8.DecodeRuneInString(item)
		m[r] = item[size:]
	}
	return m
}()
