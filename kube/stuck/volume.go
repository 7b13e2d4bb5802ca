package stuck

import (
	"strings"

	"github.com/distribution/reference"

	"github.com/refloat-dev/refloat/evidence"
)

// attribute gives the failure to an image volume where the text names the
// volume's reference and not the container's own: the kubelet reports both under
// the container (kuberuntime_manager.go, toKubeContainerImageVolumes).
func (c *Container) attribute(text string) {
	if len(c.Volumes) == 0 || mentions(text, c.Image) {
		return
	}
	for _, v := range c.Volumes {
		if mentions(text, v.Reference) {
			c.Kind, c.Volume, c.Image = evidence.VolumeImage, v.Name, v.Reference
			if v.Policy != "" {
				c.Policy = v.Policy
			}
			return
		}
	}
}

// mentions tells whether a text names an image, as it is written or as a runtime completes it.
func mentions(text, image string) bool {
	if image == "" {
		return false
	}
	if names(text, image) {
		return true
	}
	full, err := reference.ParseDockerRef(image)
	return err == nil && names(text, full.String())
}

// names looks for an image that is not only the beginning or the end of another's name.
func names(text, image string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], image)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(image)
		if (start == 0 || !partOfName(text[start-1])) && (end == len(text) || !goesOn(text[end:])) {
			return true
		}
		from = start + 1
	}
}

func partOfName(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-/@", c) >= 0
}

// goesOn tells whether the name continues; a colon or a dot may also end a clause.
func goesOn(rest string) bool {
	if rest[0] == ':' || rest[0] == '.' {
		return len(rest) > 1 && rest[1] != ' ' && rest[1] != '\n'
	}
	return partOfName(rest[0])
}
