// Command with_openapi_generator uploads and deletes an image with the Go client that openapi-generator makes.
//
// URL upload FILE | URL tus FILE: print the image. URL delete SLUG TOKEN: prints nothing.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"
	"path/filepath"
	"strconv"

	imagehost "example.org/image/host"
)

const tus = "1.0.0"

func upload(ctx context.Context, client *imagehost.APIClient, path string) (*imagehost.Image, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	image, _, err := client.ImagesAPI.CreateImage(ctx).File(file).Title("Cat").ExpiresIn("30d").Execute()
	return image, err
}

// The client sends files, and none that is empty: the first half comes with the creation.
func uploadByTus(ctx context.Context, client *imagehost.APIClient, path string) (*imagehost.Image, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	half, length := len(data)/2, strconv.Itoa(len(data))
	first, second := fileOf(data[:half]), fileOf(data[half:])
	created, err := client.ResumableAPI.CreateUpload(ctx).TusResumable(tus).UploadLength(length).Body(first).Execute()
	if err != nil {
		return nil, err
	}
	id, offset := filepath.Base(created.Header.Get("Location")), strconv.Itoa(half)
	_, err = client.ResumableAPI.ContinueUpload(ctx, id).TusResumable(tus).UploadOffset(offset).Body(second).Execute()
	if err != nil {
		return nil, err
	}
	state, _, err := client.ResumableAPI.GetUploadState(ctx, id).Execute()
	if err != nil {
		return nil, err
	}
	if state.Image == nil || state.Image.Image == nil {
		return nil, errors.New("the upload is " + state.State)
	}
	return state.Image.Image, nil
}

func fileOf(data []byte) *os.File {
	file, err := os.CreateTemp("", "part")
	if err == nil {
		os.Remove(file.Name())
		_, err = file.Write(data)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		log.Fatal(err)
	}
	return file
}

func run(url, verb string, rest []string) error {
	configuration := imagehost.NewConfiguration()
	configuration.Servers = imagehost.ServerConfigurations{{URL: url}}
	client, ctx := imagehost.NewAPIClient(configuration), context.Background()
	if verb == "delete" {
		ctx = context.WithValue(ctx, imagehost.ContextAccessToken, rest[1])
		_, err := client.ImagesAPI.DeleteImage(ctx, rest[0]).Execute()
		return err
	}
	by := upload
	if verb == "tus" {
		by = uploadByTus
	}
	image, err := by(ctx, client, rest[0])
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(image)
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		log.Fatal(err)
	}
}
