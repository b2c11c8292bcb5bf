// Command readme is the example of README.md, here so that it is compiled.
package main
